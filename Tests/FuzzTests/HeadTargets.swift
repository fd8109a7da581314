import ObjectStore
import SystemSupport

@testable import S3Client

extension FuzzTarget {
    /// The head of an answer, line by line.
    static let head = FuzzTarget(name: "head") { bytes in
        var choices = Choices(bytes)
        var head = ResponseHead()
        while !choices.rest.isEmpty {
            guard head.receive(line: choices.line()) else { return }
        }
        try require((0...999).contains(head.status), "the status is \(head.status)")
        try requirePlain(head.requestID ?? "")
        try require(head.contentLength ?? 0 >= 0, "the length is \(head.contentLength ?? 0)")
        guard let content = head.contentRange else { return }
        try require(
            content.range.lowerBound >= 0 && content.range.upperBound <= content.byteCount && !content.range.isEmpty,
            "the range is \(content.range) of \(content.byteCount)")
    }

    /// A time, as listings and credentials have it, and as heads have it.
    static let time = FuzzTarget(name: "time") { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        let times = [Timestamp(iso8601: bytes), Timestamp(lenientISO8601: bytes), Timestamp(httpDate: text)]
        for timestamp in times.compactMap({ $0 }) {
            try require((0..<1_000_000_000).contains(timestamp.nanoseconds), "\(text) has a wrong fraction")
            // Years 1 to 9999, and a day for what is east or west of Greenwich.
            try require((-62_135_683_200...253_402_387_200).contains(timestamp.seconds), "\(text) is never")
            guard timestamp.seconds >= 0 else { continue }
            let second = Timestamp(seconds: timestamp.seconds)
            guard second.seconds < Timestamp.textSecondLimit else { continue }
            try require(Timestamp(iso8601: Array(second.utcText.utf8)) == second, "\(text) is another time in ISO 8601")
            try require(Timestamp(httpDate: second.httpDate) == second, "\(text) is another time in a header")
        }
    }
}

import ArgumentParser
import Logging
import Namespace

/// What an option is given, read from how it is written.
protocol WrittenValue {
    /// How it is written, for a user who wrote something else: "a size, such as 512MiB".
    static var form: String { get }

    init?(argument: String)

    /// What somebody may have meant who wrote it in another way; `nil` where that can be anything.
    static func meaning(of text: String) -> String?
}

extension WrittenValue {
    static func meaning(of text: String) -> String? { nil }

    /// Reads a value, or says how one is written.
    static func read(_ text: String) throws -> Self {
        if let value = Self(argument: text) { return value }
        throw ValidationError("give \(form)" + (meaning(of: text).map { "; did you mean \($0)?" } ?? ""))
    }
}

extension Option where Value: WrittenValue & SendableMetatype {
    /// An option that needn't be given; its help tells what holds then.
    init(wrappedValue: Value, _ help: String, valueName: String, completion: CompletionKind? = nil) {
        self.init(
            wrappedValue: wrappedValue,
            help: ArgumentHelp("\(help) (default: \(wrappedValue))", valueName: valueName), completion: completion,
            transform: { try Value.read($0) })
    }
}

extension Int: WrittenValue {
    static var form: String { "a number, such as 64" }
}

extension UInt32: WrittenValue {
    static var form: String { "a number, as \"id\" prints it" }
}

extension Logger.Level: WrittenValue {
    static var form: String { allCases.map(\.rawValue).joined(separator: ", ") }

    init?(argument: String) {
        self.init(rawValue: argument)
    }
}

/// A number of bytes on the command line: "512MiB", "4GiB", "1048576".
struct ByteCount: WrittenValue, CustomStringConvertible {
    static let form = "a size, such as 512MiB or 4GiB"
    let byteCount: Int

    private static let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)]

    init(_ byteCount: Int) {
        self.byteCount = byteCount
    }

    init?(argument: String) {
        let (digits, factor) =
            ByteCount.units.first { argument.hasSuffix($0.0) }.map { (argument.dropLast($0.0.count), $0.1) }
            ?? (argument[...], 1)
        guard let count = Int(digits), count > 0,
            case (let product, false) = count.multipliedReportingOverflow(by: factor)
        else { return nil }
        byteCount = product
    }

    var description: String {
        let unit = ByteCount.units.last { byteCount >= $0.1 && byteCount.isMultiple(of: $0.1) }
        return unit.map { "\(byteCount / $0.1)\($0.0)" } ?? "\(byteCount)"
    }

    /// About how many, for people: "1.2GiB", "340MiB", "17B".
    var rounded: String {
        // From 999.5 on it is rather one of the next unit.
        guard let unit = ByteCount.units.last(where: { Double(byteCount) >= Double($0.1) * 999.5 / 1024 }) else {
            return "\(byteCount)B"
        }
        let tenths = (Double(byteCount) * 10 / Double(unit.1)).rounded()
        if tenths >= 100 { return "\(Int((tenths / 10).rounded()))\(unit.0)" }
        return "\(Int(tenths) / 10).\(Int(tenths) % 10)\(unit.0)"
    }
}

/// How many objects, in words.
struct ObjectCount: CustomStringConvertible {
    private let count: Int

    init(_ count: Int) {
        self.count = count
    }

    var description: String { count == 1 ? "1 object" : "\(count) objects" }
}

/// A time on the command line: "30s", "15m", "12h", "7d".
struct Time: WrittenValue, CustomStringConvertible {
    static let form = "a time, such as 30s, 15m, 12h or 7d"
    let secondCount: Int

    private static let units: KeyValuePairs<Character, Int> = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]

    init(seconds: Int) {
        secondCount = seconds
    }

    init?(argument: String) {
        guard let unit = Time.units.first(where: { $0.key == argument.last }), let count = Int(argument.dropLast()),
            count >= 0, case (let product, false) = count.multipliedReportingOverflow(by: unit.value)
        else { return nil }
        secondCount = product
    }

    var duration: Duration { .seconds(secondCount) }

    var description: String { "\(secondCount)s" }
}

/// How long listings are kept: a time, or "forever".
struct MetadataLifetime: WrittenValue, CustomStringConvertible {
    static let form = "a time, such as 30s, 15m, 12h or 7d, or \"forever\""
    let timeToLive: TimeToLive
    let description: String

    init?(argument: String) {
        description = argument
        if argument == "forever" {
            timeToLive = .forever
        } else if let time = Time(argument: argument) {
            timeToLive = .limited(time.duration)
        } else {
            return nil
        }
    }

    init(seconds: Int) {
        timeToLive = .limited(.seconds(seconds))
        description = "\(seconds)s"
    }
}

/// Permission bits in octal: "0444".
struct Permissions: WrittenValue, CustomStringConvertible {
    static let form = "octal permissions from 0 to 0777, such as 0444"
    let bits: UInt32

    init(_ bits: UInt32) {
        self.bits = bits
    }

    init?(argument: String) {
        guard let bits = UInt32(argument, radix: 8), bits <= 0o777 else { return nil }
        self.bits = bits
    }

    var description: String { "0" + String(bits, radix: 8) }
}

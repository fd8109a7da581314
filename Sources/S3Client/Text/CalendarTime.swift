import Glibc
import ObjectStore

/// A UTC date and time of the Gregorian calendar: what stands between a `Timestamp` and the three ways in which S3
/// writes time.
struct CalendarTime: Equatable {
    var year: Int
    /// 1 to 12.
    var month: Int
    /// 1 to 31.
    var day: Int
    var hour = 0
    var minute = 0
    /// 0 to 60: a leap second counts as the first second of the next minute.
    var second = 0
    var nanosecond = 0

    private static let daysBeforeMonth = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
    private static let monthNames = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Beginning with the day of the week of 1970-01-01.
    private static let weekdayNames = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]

    private static func isLeap(_ year: Int) -> Bool {
        (year.isMultiple(of: 4) && !year.isMultiple(of: 100)) || year.isMultiple(of: 400)
    }

    private static func dayCount(ofMonth month: Int, in year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private var isValid: Bool {
        (1...9_999).contains(year) && (1...12).contains(month)
            && (1...Self.dayCount(ofMonth: month, in: year)).contains(day)
            && (0...23).contains(hour) && (0...59).contains(minute) && (0...60).contains(second)
    }
}

// MARK: - Seconds since the epoch

extension CalendarTime {
    /// The calendar's name for a point in time of the years 1970 to 9999.
    init(_ timestamp: Timestamp) {
        let (dayNumber, secondOfDay) = timestamp.seconds.quotientAndRemainder(dividingBy: 86_400)
        var year = 1970
        var day = dayNumber
        while true {
            let length = Self.isLeap(year) ? 366 : 365
            if day < length { break }
            day -= length
            year += 1
        }
        var month = 1
        while day >= Self.dayCount(ofMonth: month, in: year) {
            day -= Self.dayCount(ofMonth: month, in: year)
            month += 1
        }
        self.init(
            year: year, month: month, day: day + 1, hour: secondOfDay / 3_600, minute: secondOfDay / 60 % 60,
            second: secondOfDay % 60, nanosecond: timestamp.nanoseconds)
    }

    /// Where the year 10000 begins.
    static let secondCountLimit = 253_402_300_800

    /// The point in time.
    var timestamp: Timestamp {
        let pastYears = year - 1
        let leapDays = pastYears / 4 - pastYears / 100 + pastYears / 400
        /// Days from 0001-01-01 to 1970-01-01.
        let epochDay = 719_162
        let isPastLeapDay = month > 2 && Self.isLeap(year)
        let days =
            pastYears * 365 + leapDays - epochDay + Self.daysBeforeMonth[month - 1] + (isPastLeapDay ? 1 : 0) + day - 1
        return Timestamp(
            seconds: days * 86_400 + hour * 3_600 + minute * 60 + second, nanoseconds: nanosecond)
    }
}

extension Timestamp {
    /// What the system's clock says.
    static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: time.tv_sec, nanoseconds: time.tv_nsec)
    }
}

// MARK: - As text

extension CalendarTime {
    /// `20130524T000000Z`, as `X-Amz-Date` has it.
    var basicFormat: String {
        "\(basicDate)T\(padded(hour, 2))\(padded(minute, 2))\(padded(second, 2))Z"
    }

    /// `20130524`, as a credential's scope has it.
    var basicDate: String {
        "\(padded(year, 4))\(padded(month, 2))\(padded(day, 2))"
    }

    /// As in `2013-05-24T01:02:03Z`.
    var extendedFormat: String {
        "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))Z"
    }

    private func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// As in `Fri, 24 May 2013 01:02:03 GMT`, the form of header fields (RFC 9110, section 5.6.7).
    var httpDate: String {
        let dayNumber = timestamp.seconds / 86_400
        // 1970-01-01 was a Thursday.
        let weekday = Self.weekdayNames[(dayNumber % 7 + 7) % 7]
        let clock = "\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))"
        return "\(weekday), \(padded(day, 2)) \(Self.monthNames[month - 1]) \(padded(year, 4)) \(clock) GMT"
    }

    /// Reads `2013-05-24T01:02:03.000Z`, as a listing's LastModified and the end of credentials have it; the fraction may
    /// have 0 to 9 digits. Instead of the Z an offset may stand, such as `+01:00`, or `UTC`, as some tools write the end of
    /// credentials.
    init?(listing text: [UInt8]) {
        var scanner = DigitScanner(text)
        self.init(
            scanning: &scanner, isDateEnd: { $0.skip("T") }, fraction: { $0.skip(".") ? $0.nanoseconds() : 0 },
            zone: { $0.secondsFromUTC() })
    }

    /// Reads the same as other stores write it: with a blank or a small letter in place of "T", with a comma in the fraction or any
    /// number of digits, with a blank before the zone, or without one, which means UTC.
    init?(looseListing text: some Collection<UInt8>) {
        var scanner = DigitScanner(Array(text))
        self.init(
            scanning: &scanner, isDateEnd: { $0.skip("T") || $0.skip("t") || $0.skipBlanks() },
            fraction: { scanner in
                guard scanner.skip(".") || scanner.skip(",") else { return 0 }
                defer { scanner.skipDigits() }
                return scanner.nanoseconds()
            },
            zone: { scanner in
                _ = scanner.skipBlanks()
                if scanner.isAtEnd || scanner.skip("z") { return 0 }
                if scanner.skip("G") { return scanner.skip("M") && scanner.skip("T") ? 0 : nil }
                return scanner.secondsFromUTC()
            })
    }

    private init?(
        scanning scanner: inout DigitScanner, isDateEnd: (inout DigitScanner) -> Bool,
        fraction: (inout DigitScanner) -> Int?, zone: (inout DigitScanner) -> Int?
    ) {
        guard let year = scanner.number(4), scanner.skip("-"), let month = scanner.number(2), scanner.skip("-"),
            let day = scanner.number(2), isDateEnd(&scanner), let hour = scanner.number(2), scanner.skip(":"),
            let minute = scanner.number(2), scanner.skip(":"), let second = scanner.number(2),
            let nanosecond = fraction(&scanner)
        else { return nil }
        self.init(
            year: year, month: month, day: day, hour: hour, minute: minute, second: second, nanosecond: nanosecond)
        guard isValid, let offset = zone(&scanner), scanner.isAtEnd else { return nil }
        guard let time = self.earlier(by: offset) else { return nil }
        self = time
    }

    /// The time in UTC of a local time that is so many seconds ahead.
    private func earlier(by offset: Int) -> CalendarTime? {
        if offset == 0 { return self }
        // What `CalendarTime(_:)` knows.
        let seconds = timestamp.seconds - offset
        guard (0..<Self.secondCountLimit).contains(seconds) else { return nil }
        return CalendarTime(Timestamp(seconds: seconds, nanoseconds: nanosecond))
    }

    /// Reads `Fri, 24 May 2013 01:02:03 GMT`, as the `Date` header has it, and the two older forms, `Friday, 24-May-13 01:02:03
    /// GMT` and `Fri May 24 01:02:03 2013` (RFC 9110, section 5.6.7). The zone may also be `UTC` or an offset such as `+0100`, as
    /// in mail.
    init?(httpDate text: String) {
        var words = text.split(separator: " ")
        // The day of the week says nothing new.
        guard let first = words.first, first.first?.isLetter == true else { return nil }
        words.removeFirst()
        if words.count == 3 { words.replaceSubrange(0..<1, with: words[0].split(separator: "-")) }
        if words.count == 4, Self.month(words[0]) != nil { words = [words[1], words[0], words[3], words[2], "GMT"] }
        guard words.count == 5, let day = Self.number(words[0]), let month = Self.month(words[1]),
            let year = Self.year(words[2]), let offset = Self.secondsFromUTC(words[4])
        else { return nil }
        let clock = words[3].split(separator: ":", omittingEmptySubsequences: false).map(Self.number)
        guard clock.count == 3, let hour = clock[0], let minute = clock[1], let second = clock[2] else { return nil }
        self.init(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        guard isValid, let time = earlier(by: offset) else { return nil }
        self = time
    }

    private static func number(_ digits: Substring) -> Int? {
        digits.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int(digits) : nil
    }

    private static func month(_ name: Substring) -> Int? {
        monthNames.firstIndex { $0.lowercased() == name.lowercased() }.map { $0 + 1 }
    }

    /// A year of four digits, or of two, of which those from 70 on are of the last century.
    private static func year(_ digits: Substring) -> Int? {
        guard let year = number(digits) else { return nil }
        guard digits.utf8.count == 2 else { return year }
        return year < 70 ? 2_000 + year : 1_900 + year
    }

    private static func secondsFromUTC(_ zone: Substring) -> Int? {
        if ["GMT", "UTC"].contains(zone.uppercased()) { return 0 }
        var scanner = DigitScanner(Array(zone.utf8))
        guard let seconds = scanner.secondsFromUTC(), scanner.isAtEnd else { return nil }
        return seconds
    }
}

/// Reads numbers of a fixed width from the front of some text.
private struct DigitScanner {
    private let text: [UInt8]
    private var index = 0

    init(_ text: [UInt8]) {
        self.text = text
    }

    var isAtEnd: Bool { index == text.count }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard index < text.count, text[index] == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    /// Skips blanks. Returns whether there was one.
    mutating func skipBlanks() -> Bool {
        let start = index
        while skip(" ") {}
        return index > start
    }

    /// Skips digits.
    mutating func skipDigits() {
        while number(1) != nil {}
    }

    mutating func number(_ width: Int) -> Int? {
        guard width <= text.count - index else { return nil }
        var number = 0
        for byte in text[index..<index + width] {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
        }
        index += width
        return number
    }

    /// "Z", "UTC", or hours and minutes behind "+" or "-".
    mutating func secondsFromUTC() -> Int? {
        if skip("Z") { return 0 }
        if skip("U") { return skip("T") && skip("C") ? 0 : nil }
        let sign = skip("+") ? 1 : skip("-") ? -1 : 0
        guard sign != 0, let hours = number(2), skip(":") || !isAtEnd, let minutes = number(2) else { return nil }
        return sign * (hours * 3_600 + minutes * 60)
    }

    /// The digits behind a decimal point, one to nine.
    mutating func nanoseconds() -> Int? {
        var value = 0
        var width = 0
        while width < 9, let digit = number(1) {
            value = value * 10 + digit
            width += 1
        }
        guard width > 0 else { return nil }
        return (width..<9).reduce(value) { result, _ in result * 10 }
    }
}

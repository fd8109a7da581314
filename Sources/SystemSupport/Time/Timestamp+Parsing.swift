// No libc here: a page of a listing has a thousand times, and timegm(3) costs more than all the rest of an entry.

extension Timestamp {
    /// The first second of the year 10000, which four digits can't express.
    public static let textSecondLimit = 253_402_300_800

    /// Creates the point in time with these fields in UTC, in the Gregorian calendar; `nil` if there is none.
    ///
    /// - Parameters:
    ///   - month: 1 to 12.
    ///   - day: 1 to 31.
    ///   - second: 0 to 60: a leap second counts as the first second of the next minute.
    public init?(
        year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0, nanosecond: Int = 0
    ) {
        guard (1...9_999).contains(year), (1...12).contains(month),
            (1...Self.dayCount(ofMonth: month, in: year)).contains(day),
            (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        let pastYears = year - 1
        let leapDays = pastYears / 4 - pastYears / 100 + pastYears / 400
        let isPastLeapDay = month > 2 && Self.isLeap(year)
        // From 0001-01-01 to 1970-01-01.
        let epochDay = 719_162
        let days =
            pastYears * 365 + leapDays - epochDay + Self.daysBeforeMonth[month - 1] + (isPastLeapDay ? 1 : 0) + day - 1
        self.init(seconds: days * 86_400 + hour * 3_600 + minute * 60 + second, nanoseconds: nanosecond)
    }

    /// Reads a time such as `2013-05-24T01:02:03.000Z`, the format of a listing's LastModified and of the expiry of
    /// credentials. The fraction has 0 to 9 digits. The zone is Z, an offset such as `+01:00`, or `UTC`, which some
    /// tools write in the expiry of credentials.
    public init?(iso8601 text: [UInt8]) {
        guard let time = text.withUnsafeBytes({ Timestamp(iso8601: $0) }) else { return nil }
        self = time
    }

    /// Reads the same from bytes in any place.
    public init?(iso8601 text: UnsafeRawBufferPointer) {
        var scanner = DigitScanner(text)
        self.init(
            scanning: &scanner, isDateEnd: { $0.skip("T") }, fraction: { $0.skip(".") ? $0.nanoseconds() : 0 },
            zone: { $0.secondsFromUTC() })
    }

    /// Reads the variants of other stores: a blank or a lowercase letter instead of "T", a comma in the fraction, a
    /// fraction of any length, a blank before the zone, or no zone, which means UTC.
    public init?(lenientISO8601 text: some Collection<UInt8>) {
        let time = Array(text).withUnsafeBytes { text in
            var scanner = DigitScanner(text)
            return Timestamp(
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
        guard let time else { return nil }
        self = time
    }

    private init?(
        scanning scanner: inout DigitScanner, isDateEnd: (inout DigitScanner) -> Bool,
        fraction: (inout DigitScanner) -> Int?, zone: (inout DigitScanner) -> Int?
    ) {
        guard let year = scanner.number(4), scanner.skip("-"), let month = scanner.number(2), scanner.skip("-"),
            let day = scanner.number(2), isDateEnd(&scanner), let hour = scanner.number(2), scanner.skip(":"),
            let minute = scanner.number(2), scanner.skip(":"), let second = scanner.number(2),
            let nanosecond = fraction(&scanner),
            let local = Timestamp(
                year: year, month: month, day: day, hour: hour, minute: minute, second: second, nanosecond: nanosecond),
            let offset = zone(&scanner), scanner.isAtEnd, let time = local.earlier(by: offset)
        else { return nil }
        self = time
    }

    /// Reads a time of an HTTP header, such as `Fri, 24 May 2013 01:02:03 GMT`, and the two older formats `Friday,
    /// 24-May-13 01:02:03 GMT` and `Fri May 24 01:02:03 2013` (RFC 9110, section 5.6.7). The zone may also be `UTC` or
    /// an offset such as `+0100`, as in mail.
    public init?(httpDate text: String) {
        var words = text.split(separator: " ")
        // The day of the week is redundant.
        guard let first = words.first, first.first?.isLetter == true else { return nil }
        words.removeFirst()
        if words.count == 3 { words.replaceSubrange(0..<1, with: words[0].split(separator: "-")) }
        if words.count == 4, Self.month(words[0]) != nil { words = [words[1], words[0], words[3], words[2], "GMT"] }
        guard words.count == 5, let day = Self.number(words[0]), let month = Self.month(words[1]),
            let year = Self.year(words[2]), let offset = Self.secondsFromUTC(words[4])
        else { return nil }
        let clock = words[3].split(separator: ":", omittingEmptySubsequences: false).map(Self.number)
        guard clock.count == 3, let hour = clock[0], let minute = clock[1], let second = clock[2],
            let local = Timestamp(year: year, month: month, day: day, hour: hour, minute: minute, second: second),
            let time = local.earlier(by: offset)
        else { return nil }
        self = time
    }

    /// Returns the UTC time of a local time that is `offset` seconds ahead; `nil` if an offset leads out of the years
    /// 1970 to 9999.
    private func earlier(by offset: Int) -> Timestamp? {
        if offset == 0 { return self }
        guard (0..<Self.textSecondLimit).contains(seconds - offset) else { return nil }
        return Timestamp(seconds: seconds - offset, nanoseconds: nanoseconds)
    }
}

// MARK: - The calendar

extension Timestamp {
    private static let daysBeforeMonth = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
    private static let monthNames = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]

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

    private static func number(_ digits: Substring) -> Int? {
        digits.utf8.allSatisfy(\.isDigit) ? Int(digits) : nil
    }

    private static func month(_ name: Substring) -> Int? {
        monthNames.firstIndex(of: name.lowercased()).map { $0 + 1 }
    }

    /// Returns a year of four digits, or of two: 70 to 99 are of the 20th century.
    private static func year(_ digits: Substring) -> Int? {
        guard let year = number(digits) else { return nil }
        guard digits.utf8.count == 2 else { return year }
        return year < 70 ? 2_000 + year : 1_900 + year
    }

    private static func secondsFromUTC(_ zone: Substring) -> Int? {
        if ["GMT", "UTC"].contains(zone.uppercased()) { return 0 }
        return Array(zone.utf8).withUnsafeBytes { zone in
            var scanner = DigitScanner(zone)
            guard let seconds = scanner.secondsFromUTC(), scanner.isAtEnd else { return nil }
            return seconds
        }
    }
}

/// A reader of numbers of a fixed width, from the front of a text.
private struct DigitScanner {
    private let text: UnsafeRawBufferPointer
    private var index = 0

    /// Creates a reader of bytes that outlive it.
    init(_ text: UnsafeRawBufferPointer) {
        self.text = text
    }

    var isAtEnd: Bool { index == text.count }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard index < text.count, text[index] == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    /// Skips blanks; returns `true` if there were any.
    mutating func skipBlanks() -> Bool {
        let start = index
        while skip(" ") {}
        return index > start
    }

    mutating func skipDigits() {
        while number(1) != nil {}
    }

    mutating func number(_ width: Int) -> Int? {
        guard width <= text.count - index else { return nil }
        var number = 0
        for byte in text[index..<index + width] {
            guard byte.isDigit else { return nil }
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
        }
        index += width
        return number
    }

    /// Reads "Z", "UTC", or "+" or "-" with hours and minutes.
    mutating func secondsFromUTC() -> Int? {
        if skip("Z") { return 0 }
        if skip("U") { return skip("T") && skip("C") ? 0 : nil }
        let sign = skip("+") ? 1 : skip("-") ? -1 : 0
        guard sign != 0, let hours = number(2), skip(":") || !isAtEnd, let minutes = number(2) else { return nil }
        return sign * (hours * 3_600 + minutes * 60)
    }

    /// Reads the one to nine digits after a decimal point.
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

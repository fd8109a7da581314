import SystemSupport

/// Formats numbers for readers.
enum Readable {
    /// Returns a size such as "1.2 GiB".
    static func bytes(_ byteCount: Int) -> String {
        let text = ByteCount(byteCount).rounded
        let number = text.prefix { !$0.isLetter }
        return "\(number) \(text.dropFirst(number.count))"
    }

    /// Returns a number such as "1,234,567".
    static func count(_ number: Int) -> String {
        let digits = Array("\(number)")
        return digits.indices.map { index in
            index > 0 && (digits.count - index).isMultiple(of: 3) ? ",\(digits[index])" : "\(digits[index])"
        }.joined()
    }

    /// Returns a count such as "1 file" or "1,234 files".
    static func count(_ number: Int, _ noun: String) -> String {
        "\(count(number)) \(noun)\(number == 1 ? "" : "s")"
    }

    /// Returns a duration such as "45 s", "3 min 12 s", "3 h 12 min" or "4 d 3 h".
    static func duration(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        let (days, hours, minutes) = (whole / 86_400, whole / 3_600 % 24, whole / 60 % 60)
        if days > 0 { return "\(days) d \(hours) h" }
        if hours > 0 { return "\(hours) h \(minutes) min" }
        if minutes > 0 { return "\(minutes) min \(whole % 60) s" }
        return whole == 0 ? "less than a second" : "\(whole) s"
    }

    /// Returns a latency such as "3.4 ms", "120 ms" or "1.2 s".
    static func latency(_ seconds: Double) -> String {
        if seconds >= 1 { return "\(Decimals.text(seconds, 1)) s" }
        return "\(Decimals.text(seconds * 1_000, seconds < 0.01 ? 1 : 0)) ms"
    }

    /// Returns an amount such as "$12.35", "$0.41" or "$0.0052".
    static func dollars(_ dollars: Double) -> String {
        if dollars > 0, dollars < 0.0001 { return "less than $0.0001" }
        return "$\(Decimals.text(dollars, dollars == 0 ? 0 : dollars < 0.1 ? 4 : 2))"
    }

    /// Returns a share such as "83 %". Only the whole is 100 %, and only nothing is 0 %.
    static func percent(_ part: Int, of whole: Int) -> String {
        guard whole > 0 else { return "–" }
        let percent = 100 * Double(part) / Double(whole)
        if part < whole, percent > 99.5 { return "more than 99 %" }
        if part > 0, percent < 0.5 { return "less than 1 %" }
        return "\(Decimals.text(percent, 0)) %"
    }

    /// Returns a ratio such as "0.3 ×" or "12 ×".
    static func times(_ part: Int, of whole: Int) -> String {
        guard whole > 0 else { return "–" }
        let times = Double(part) / Double(whole)
        return "\(Decimals.text(times, times < 9.95 ? 1 : 0)) ×"
    }
}

package import SystemSupport

/// A number with a unit in another form than ours: "10 GB", "1.5h", "60".
private struct LooseQuantity {
    let number: Double
    /// In lower case; empty if there is none.
    let unit: String

    init?(_ text: String) {
        let words = text.lowercased().filter { $0 != " " && $0 != "_" }
        let digits = words.prefix { $0.isNumber || $0 == "." }
        guard let number = Double(digits), number > 0, number < 1e12 else { return nil }
        (self.number, unit) = (number, String(words.dropFirst(digits.count)))
    }
}

extension ByteCount {
    package static func suggestion(for text: String) -> String? {
        guard let quantity = LooseQuantity(text), let letter = quantity.unit.first,
            let index = Array("kmgt").firstIndex(of: letter),
            ["", "b", "ib", "iib"].contains(String(quantity.unit.dropFirst()))
        else { return nil }
        let byteCount = quantity.number * Double(1 << (10 * (index + 1)))
        guard byteCount >= 1, byteCount < Double(Int.max) else { return nil }
        return ByteCount(Int(byteCount)).description
    }
}

extension Time {
    private static let spellings: KeyValuePairs<String, [String]> = [
        "s": ["", "s", "sec", "secs", "second", "seconds"], "m": ["m", "min", "mins", "minute", "minutes"],
        "h": ["h", "hr", "hrs", "hour", "hours"], "d": ["d", "day", "days"],
    ]

    package static func suggestion(for text: String) -> String? {
        guard let quantity = LooseQuantity(text),
            let unit = spellings.first(where: { $0.value.contains(quantity.unit) })
        else { return nil }
        if quantity.number == quantity.number.rounded() { return "\(Int(quantity.number))\(unit.key)" }
        guard let time = Time(argument: "1" + unit.key) else { return nil }
        return "\(Int((quantity.number * Double(time.secondCount)).rounded()))s"
    }
}

extension MetadataLifetime {
    private static let endless: Set = ["never", "infinite", "infinity", "inf", "indefinite", "always", "max", "ever"]

    package static func suggestion(for text: String) -> String? {
        endless.contains(text.lowercased()) ? "forever" : Time.suggestion(for: text)
    }
}

extension URLLifetime {
    package static func suggestion(for text: String) -> String? {
        Time.suggestion(for: text).flatMap { URLLifetime(argument: $0) == nil ? nil : $0 }
    }
}

extension Permissions {
    /// Understands "rw-r--r--" and "0o644".
    package static func suggestion(for text: String) -> String? {
        if text.hasPrefix("0o"), let permissions = Permissions(argument: String(text.dropFirst(2))) {
            return permissions.description
        }
        guard text.count == 9, zip(text, "rwxrwxrwx").allSatisfy({ $0 == $1 || $0 == "-" }) else { return nil }
        return Permissions(text.reduce(0) { $0 << 1 | ($1 == "-" ? 0 : 1) }).description
    }
}

/// A number with a unit behind it, as people and other programs write it: "10 GB", "1.5h", "60".
private struct LooseQuantity {
    let number: Double
    /// In lower case; empty where there is none.
    let unit: String

    init?(_ text: String) {
        let words = text.lowercased().filter { $0 != " " && $0 != "_" }
        let digits = words.prefix { $0.isNumber || $0 == "." }
        guard let number = Double(digits), number > 0, number < 1e12 else { return nil }
        (self.number, unit) = (number, String(words.dropFirst(digits.count)))
    }
}

extension ByteCount {
    static func meaning(of text: String) -> String? {
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
    private static let units: KeyValuePairs<String, [String]> = [
        "s": ["", "s", "sec", "secs", "second", "seconds"], "m": ["m", "min", "mins", "minute", "minutes"],
        "h": ["h", "hr", "hrs", "hour", "hours"], "d": ["d", "day", "days"],
    ]

    static func meaning(of text: String) -> String? {
        guard let quantity = LooseQuantity(text), let unit = units.first(where: { $0.value.contains(quantity.unit) })
        else { return nil }
        if quantity.number == quantity.number.rounded() { return "\(Int(quantity.number))\(unit.key)" }
        guard let time = Time(argument: "1" + unit.key) else { return nil }
        return "\(Int((quantity.number * Double(time.secondCount)).rounded()))s"
    }
}

extension MetadataLifetime {
    private static let endless: Set = ["never", "infinite", "infinity", "inf", "indefinite", "always", "max", "ever"]

    static func meaning(of text: String) -> String? {
        endless.contains(text.lowercased()) ? "forever" : Time.meaning(of: text)
    }
}

extension URLLifetime {
    static func meaning(of text: String) -> String? {
        Time.meaning(of: text).flatMap { URLLifetime(argument: $0) == nil ? nil : $0 }
    }
}

extension Permissions {
    /// "rw-r--r--" and "0o644", of nothing but the three times three bits.
    static func meaning(of text: String) -> String? {
        if text.hasPrefix("0o"), let permissions = Permissions(argument: String(text.dropFirst(2))) {
            return permissions.description
        }
        guard text.count == 9, zip(text, "rwxrwxrwx").allSatisfy({ $0 == $1 || $0 == "-" }) else { return nil }
        return Permissions(text.reduce(0) { $0 << 1 | ($1 == "-" ? 0 : 1) }).description
    }
}

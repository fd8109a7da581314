/// A number of bytes, as options and messages write it: "512MiB", "4GiB", "1048576".
public struct ByteCount: CustomStringConvertible, Sendable {
    /// The number.
    public let byteCount: Int

    private static let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)]

    /// A number of bytes.
    public init(_ byteCount: Int) {
        self.byteCount = byteCount
    }

    /// Reads a positive number with an optional unit.
    public init?(argument: String) {
        let (digits, factor) =
            ByteCount.units.first { argument.hasSuffix($0.0) }.map { (argument.dropLast($0.0.count), $0.1) }
            ?? (argument[...], 1)
        guard let count = Int(digits), count > 0,
            case (let product, false) = count.multipliedReportingOverflow(by: factor)
        else { return nil }
        byteCount = product
    }

    /// The exact number, in the largest unit that divides it.
    public var description: String {
        let unit = ByteCount.units.last { byteCount >= $0.1 && byteCount.isMultiple(of: $0.1) }
        return unit.map { "\(byteCount / $0.1)\($0.0)" } ?? "\(byteCount)"
    }

    /// The number rounded to two or three digits: "1.2GiB", "340MiB", "17B".
    public var rounded: String {
        // 999.5 and more round to 1.0 of the next unit.
        guard let unit = ByteCount.units.last(where: { Double(byteCount) >= Double($0.1) * 999.5 / 1024 }) else {
            return "\(byteCount)B"
        }
        let tenths = (Double(byteCount) * 10 / Double(unit.1)).rounded()
        if tenths >= 100 { return "\(Int((tenths / 10).rounded()))\(unit.0)" }
        return "\(Int(tenths) / 10).\(Int(tenths) % 10)\(unit.0)"
    }
}

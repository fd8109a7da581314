import Glibc

/// An IPv4 or IPv6 address.
struct IPAddress: Hashable {
    private let bytes: [UInt8]

    /// Parses an address as in URLs, IPv6 with or without brackets. `nil` for anything else, such as a host name.
    init?(_ text: String) {
        let isBracketed = text.hasPrefix("[") && text.hasSuffix("]")
        let digits = isBracketed ? String(text.dropFirst().dropLast()) : text
        for (family, byteCount) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: byteCount)
            if inet_pton(family, digits, &bytes) == 1 {
                self.bytes = bytes
                return
            }
        }
        return nil
    }

    var bitCount: Int { bytes.count * 8 }

    /// Returns `true` if the first bits are those of `network`.
    func isWithin(_ network: IPAddress, prefixLength: Int) -> Bool {
        guard bytes.count == network.bytes.count else { return false }
        return (0..<prefixLength).allSatisfy { bit in
            (bytes[bit / 8] ^ network.bytes[bit / 8]) & (0x80 >> UInt8(bit % 8)) == 0
        }
    }
}

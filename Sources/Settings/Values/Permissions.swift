/// Permission bits in octal: "0444".
package struct Permissions: OptionValue, CustomStringConvertible, Sendable {
    package static let form = "octal permissions from 0 to 0777, such as 0444"
    package let bits: UInt32

    package init(_ bits: UInt32) {
        self.bits = bits
    }

    package init?(argument: String) {
        guard let bits = UInt32(argument, radix: 8), bits <= 0o777 else { return nil }
        self.bits = bits
    }

    package var description: String { "0" + String(bits, radix: 8) }
}

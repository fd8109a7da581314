extension UInt8 {
    /// `true` for the ASCII digits.
    public var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

    /// `true` for a printable ASCII character, including the blank.
    public var isPrintableASCII: Bool { (UInt8(ascii: " ")...UInt8(ascii: "~")).contains(self) }

    /// `true` for a printable ASCII character other than the blank.
    public var isVisibleASCII: Bool { isPrintableASCII && self != UInt8(ascii: " ") }

    /// `true` for a blank, a tab or a line break.
    public var isWhitespace: Bool {
        self == UInt8(ascii: " ") || (UInt8(ascii: "\t")...UInt8(ascii: "\r")).contains(self)
    }

    /// The character in lowercase, if it is an ASCII letter.
    public var lowercasedASCII: UInt8 { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self }
}

extension BinaryInteger {
    /// Returns the digits of the number, with zeros in front up to `width` digits.
    public func padded(to width: Int, radix: Int = 10) -> String {
        let digits = String(self, radix: radix)
        return String(repeating: "0", count: Swift.max(width - digits.utf8.count, 0)) + digits
    }
}

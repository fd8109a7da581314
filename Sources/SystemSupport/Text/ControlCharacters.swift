extension Unicode.Scalar {
    /// `true` for a control or format character or a line separator: a terminal obeys it, or it reorders or breaks
    /// text. Text from a store is displayed without such characters.
    public var isControlOrFormat: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}

extension String {
    /// Returns the string with each control or format character replaced by `replacement`.
    public func replacingControlCharacters(with replacement: String) -> String {
        unicodeScalars.reduce(into: "") { $0 += $1.isControlOrFormat ? replacement : String($1) }
    }
}

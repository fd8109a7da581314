extension Unicode.Scalar {
    /// Whether this is nothing to see but something to do: terminals obey control characters, and text is turned round or
    /// broken by others. What comes from a store is shown without them.
    public var isInstruction: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}

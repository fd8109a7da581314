/// The number of a process.
package struct ProcessNumber: OptionValue, Sendable {
    package static var form: String { "the number of a process, as \"ps\" prints it" }

    /// The number, which is positive.
    package let rawValue: Int32

    package init?(argument: String) {
        guard let rawValue = Int32(argument), rawValue > 0 else { return nil }
        self.rawValue = rawValue
    }
}

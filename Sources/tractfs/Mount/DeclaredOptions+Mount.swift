import Settings

extension DeclaredOptions {
    /// The options of `mount`.
    static let ofMount = DeclaredOptions(of: MountCommand.self)
}

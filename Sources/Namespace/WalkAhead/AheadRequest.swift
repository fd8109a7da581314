import ObjectStore

/// A listing that is asked for before anybody needs it.
struct AheadRequest: Equatable {
    /// What its end is told by.
    enum Name: Hashable, Sendable {
        /// A flat page ahead of a walk through everything.
        case page(Int)
        /// The listing of one directory ahead of a walk through directories of one relative path.
        case directory(Int)
    }

    let name: Name
    let request: ListRequest
    /// The keys that it is expected to tell of.
    let expected: KeyInterval
}

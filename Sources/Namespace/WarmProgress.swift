public import ObjectStore

/// Placeholder until h-walk's is merged.
public final class WarmProgress: Sendable {
    public var keyCount: Int { 0 }
    public var pageCount: Int { 0 }
    public var isDone: Bool { true }
    public var error: StoreError? { nil }
    public func cancel() {}
}

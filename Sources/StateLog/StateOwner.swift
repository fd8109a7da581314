/// The owner of a state that the next server needs. It writes that state to the log.
public protocol StateOwner: AnyObject, Sendable {
    /// Rewrites the whole state. Called by a thread of the log while the state keeps changing and those changes keep
    /// being written. Each record must be true when it is written, so write it under the lock that guards the changes.
    func writeState(to log: StateLog)
}

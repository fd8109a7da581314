/// Who keeps a state that the next server must know, and writes it to the log.
public protocol StateOwner: AnyObject, Sendable {
    /// Writes all of the state anew. Called by a thread of the log's, while the state goes on changing, and those changes go
    /// on being written: what is written must be true when it is, which is a matter of writing under the lock that
    /// changes are made under.
    func writeState(to log: StateLog)
}

public import SystemPackage

/// The files of a log, held by the supervisor for one server after another. It neither reads nor writes records.
public final class SupervisedStateLog: Sendable {
    private let first: StateFile
    private let second: StateFile

    /// Creates new files, for a log without records.
    public static func create() throws(StateLogError) -> SupervisedStateLog {
        try SupervisedStateLog(inheriting: StateFiles.createDescriptors())
    }

    /// Takes over the files of a log that another process may be writing. Closes them with this instance. Throws if
    /// they have another format.
    public init(inheriting descriptors: [FileDescriptor]) throws(StateLogError) {
        guard descriptors.count == 2 else { throw StateLogError("a log of the state is two files") }
        first = try StateFile.openHead(descriptors[0])
        second = try StateFile.openHead(descriptors[1])
    }

    /// The descriptors that a server needs to write to the log (`StateLog.init(inheriting:)`).
    public var descriptors: [FileDescriptor] { [first.descriptor, second.descriptor] }

    /// `true` if a server failed to write a record, so that no other server can take over.
    public var isLost: Bool { first[.isLost] == 1 || second[.isLost] == 1 }
}

public import SystemPackage

/// The files of a log, for who keeps them for one server after the other, and neither reads nor writes records.
public final class KeptStateLog: Sendable {
    private let first: StateFile
    private let second: StateFile

    /// New files, for a log without records.
    public static func create() throws(StateLogError) -> KeptStateLog {
        try KeptStateLog(inheriting: StateFiles.createDescriptors())
    }

    /// The files of a log that another process may be writing to. Closes them in the end. Fails where they are of another
    /// format.
    public init(inheriting descriptors: [FileDescriptor]) throws(StateLogError) {
        guard descriptors.count == 2 else { throw StateLogError("a log of the state is two files") }
        first = try StateFile.openHead(descriptors[0])
        second = try StateFile.openHead(descriptors[1])
    }

    /// What a server needs to write to the log (`StateLog.init(inheriting:)`).
    public var descriptors: [FileDescriptor] { [first.descriptor, second.descriptor] }

    /// Whether a server could not write something, so that no other can take over from it.
    public var isLost: Bool { first[.isLost] == 1 || second[.isLost] == 1 }
}

package import MountControl
public import StateLog

extension FuseSession {
    /// The parameters of a session beyond its file system.
    public struct Configuration: Sendable {
        /// The log from which the next server process restores the session; the same as the file system's.
        public var log: StateLog?
        /// The memory that is shared with the supervisor; `nil` without a supervisor.
        public var page: SupervisorSharedState?
        /// `true` if the session continues one of an earlier process, which had the same `page`.
        public var isSuccessor = false
        /// The path at which an overlay is mounted, or will be, on top of this mount; `nil` for none.
        public var overlaidAt: String?
        /// `true` if another program made the mount and chose its options. The kernel then may neither check
        /// permissions nor refuse changes by itself.
        public var isForeign = false
        /// The version of the program, as `tractfs status` reports it.
        public var version = ""
        /// Returns the status of the mount; `nil` for a session without one.
        package var status: (@Sendable (SessionCounts) -> MountStatus)?
        /// Returns the report of the mount; `nil` for a session without one.
        package var report: (@Sendable (SessionCounts) -> MountReport)?

        /// Creates the configuration of a mount that this program made, without a supervisor.
        public init() {}
    }
}

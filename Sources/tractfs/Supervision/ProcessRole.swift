/// What a process of `tractfs mount` is for. Who starts one says so in its environment (`Inheritance`); a person doesn't.
enum ProcessRole: String {
    /// Starts servers, and sees to it that there is one, in the background.
    case supervisor
    /// Mounts and serves.
    case server
    /// Serves what an earlier server has mounted.
    case successor
    /// Only looks whether it could be a successor.
    case trial
    /// Was a supervisor of another version, and has a server of that version.
    case upgradedSupervisor
}

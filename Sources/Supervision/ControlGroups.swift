import SystemSupport

/// The control groups of processes (cgroups(7)).
enum ControlGroups {
    /// Returns `true` if one of the process's control groups is frozen, which the state of the process doesn't show.
    static func areFrozen(of process: Int32) -> Bool {
        let groups = SystemFile.text("/proc/\(process)/cgroup")?.split(separator: "\n") ?? []
        return groups.contains { group in
            // ID:CONTROLLERS:PATH; version 2 has no controllers.
            let fields = group.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return false }
            let path = fields[2]
            if fields[1].isEmpty {
                return ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].contains {
                    SystemFile.text("\($0)\(path)/cgroup.events")?.contains("frozen 1") == true
                }
            }
            return fields[1].split(separator: ",").contains("freezer")
                && SystemFile.text("/sys/fs/cgroup/freezer\(path)/freezer.state")?.hasPrefix("FROZEN") == true
        }
    }
}

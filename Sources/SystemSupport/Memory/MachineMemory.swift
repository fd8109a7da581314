import Glibc
public import SystemPackage

/// The memory that a process of this machine may use: the machine's memory, or less if a control group limits it, as in
/// most containers (cgroups(7)).
public enum MachineMemory {
    /// Returns the bytes that this process may use, together with the other processes of its control groups.
    ///
    /// - Parameter root: The parent of /proc and /sys; a folder other than "/" in tests.
    public static func byteCount(root: FilePath = "/") -> Int {
        let physical = sysconf(CInt(_SC_PHYS_PAGES)) * sysconf(CInt(_SC_PAGESIZE))
        return limitFiles(root: root).compactMap(limit).reduce(physical, min)
    }

    /// Returns the bytes that are free or can be freed without swapping (proc(5), "MemAvailable" of /proc/meminfo);
    /// `nil` if the kernel doesn't report it.
    public static func availableByteCount(root: FilePath = "/") -> Int? {
        let lines = SystemFile.text(root.appending("proc/meminfo").string)?.split(separator: "\n") ?? []
        let fields = lines.first { $0.hasPrefix("MemAvailable:") }?.split(separator: " ")
        return fields.flatMap { $0.count > 1 ? Int($0[1]) : nil }.map { $0 << 10 }
    }

    /// Returns the files that may contain a limit: those of this process's control group and of all groups above it. In
    /// a container the path is often that of the host's tree and doesn't exist; the top group is then the container's
    /// own.
    private static func limitFiles(root: FilePath) -> [FilePath] {
        let groups = SystemFile.text(root.appending("proc/self/cgroup").string, limit: 65_536) ?? ""
        return groups.split(separator: "\n").flatMap { line -> [FilePath] in
            // "ID:CONTROLLERS:PATH"; version 2 has the ID 0 and names no controllers.
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return [] }
            if fields[0] == "0", fields[1].isEmpty {
                return ancestry(of: fields[2], below: root.appending("sys/fs/cgroup")).map {
                    $0.appending("memory.max")
                }
            }
            guard fields[1].split(separator: ",").contains("memory") else { return [] }
            return ancestry(of: fields[2], below: root.appending("sys/fs/cgroup/memory"))
                .map { $0.appending("memory.limit_in_bytes") }
        }
    }

    /// Returns the folder `path` below `top`, `top` itself, and all folders in between.
    private static func ancestry(of path: Substring, below top: FilePath) -> [FilePath] {
        path.split(separator: "/").reduce(into: [top]) { folders, name in
            folders.append(folders[folders.count - 1].appending(String(name)))
        }
    }

    /// Returns the limit in a file; `nil` if there is none ("max").
    private static func limit(in file: FilePath) -> Int? {
        SystemFile.text(file.string).flatMap { Int($0.split(separator: "\n").first ?? "") }
    }
}

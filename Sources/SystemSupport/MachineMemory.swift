import Glibc
public import SystemPackage

/// How much memory a process of this machine may use: the machine's, or less where a control group limits it, as it does in
/// most containers (cgroups(7)).
public enum MachineMemory {
    /// Bytes that this process, and all others of its control groups together, may use.
    ///
    /// - Parameter root: Where /proc and /sys are; another folder than "/" in tests.
    public static func byteCount(root: FilePath = "/") -> Int {
        let physical = sysconf(CInt(_SC_PHYS_PAGES)) * sysconf(CInt(_SC_PAGESIZE))
        return limitFiles(root: root).compactMap(limit).reduce(physical, min)
    }

    /// Bytes that are free now, or can be freed without swapping (proc(5), "MemAvailable" of /proc/meminfo); `nil` where the
    /// kernel doesn't say.
    public static func availableByteCount(root: FilePath = "/") -> Int? {
        let lines = contents(of: root.appending("proc/meminfo"))?.split(separator: "\n") ?? []
        let fields = lines.first { $0.hasPrefix("MemAvailable:") }?.split(separator: " ")
        return fields.flatMap { $0.count > 1 ? Int($0[1]) : nil }.map { $0 << 10 }
    }

    /// The files that may hold a limit: those of this process's control group and of all groups above it. In a container the
    /// path is often that of the host's tree, which isn't there; the group at the top is the container's own then.
    private static func limitFiles(root: FilePath) -> [FilePath] {
        let groups = contents(of: root.appending("proc/self/cgroup")) ?? ""
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

    /// The folder `path` below `top`, and all between the two, and `top`.
    private static func ancestry(of path: Substring, below top: FilePath) -> [FilePath] {
        path.split(separator: "/").reduce(into: [top]) { folders, name in
            folders.append(folders[folders.count - 1].appending(String(name)))
        }
    }

    /// The limit in a file; `nil` where there is none ("max").
    private static func limit(in file: FilePath) -> Int? {
        contents(of: file).flatMap { Int($0.split(separator: "\n").first ?? "") }
    }

    private static func contents(of file: FilePath) -> String? {
        guard let descriptor = try? FileDescriptor.open(file, .readOnly, options: .closeOnExec) else { return nil }
        let bytes = try? descriptor.closeAfter { try descriptor.readToEnd(limit: 65_536) }
        return bytes.map { String(decoding: $0, as: UTF8.self) }
    }
}

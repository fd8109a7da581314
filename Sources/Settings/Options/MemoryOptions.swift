package import ArgumentParser
package import SystemSupport

/// The options that limit the memory of a mount.
package struct MemoryOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The memory to use (default: an eighth of the machine's or the container's, at least 128MiB).",
            valueName: "size"),
        transform: ByteCount.read)
    package var memoryLimit: ByteCount?

    @Option(
        help: ArgumentHelp(
            "The part of it for listings, at most half (default: a quarter). Beyond it the least recently used ones are "
                + "evicted, and listed again when they are needed.",
            valueName: "size"),
        transform: ByteCount.read)
    package var metadataLimit: ByteCount?

    package init() {}

    package func validate() throws {
        if let memoryLimit { try MemoryOptions.check(memoryLimit) }
        if let metadataLimit { try check(metadataLimit: metadataLimit) }
    }

    private static func check(_ memoryLimit: ByteCount) throws {
        let least = ByteCount(MemoryBudget.minimumByteLimit)
        if memoryLimit.byteCount < least.byteCount {
            throw ValidationError("--memory-limit \(memoryLimit) is too little: give at least \(least)")
        }
        if memoryLimit.byteCount > MachineMemory.byteCount() {
            throw ValidationError("--memory-limit \(memoryLimit) is more than this machine or container has: give less")
        }
    }

    private func check(metadataLimit: ByteCount) throws {
        let least = ByteCount(MemoryBudget.minimumMetadataByteLimit)
        if metadataLimit.byteCount < least.byteCount {
            throw ValidationError("--metadata-limit \(metadataLimit) is too little: give at least \(least)")
        }
        let most = ByteCount(MemoryBudget.metadataByteLimitMax(ofLimit: memoryByteLimit))
        if metadataLimit.byteCount > most.byteCount {
            throw ValidationError(
                "--metadata-limit \(metadataLimit) is more than half of the memory limit: give at most "
                    + "\(most.rounded), or a greater --memory-limit")
        }
    }

    private var memoryByteLimit: Int {
        memoryLimit?.byteCount ?? MemoryBudget.standardByteLimit(machineMemory: MachineMemory.byteCount())
    }

    /// Divides the memory, with `connectionLimit` connections if there is room for them.
    package func budget(connectionLimit: Int) -> MemoryBudget {
        MemoryBudget(
            byteLimit: memoryByteLimit, connectionLimit: connectionLimit, metadataByteLimit: metadataLimit?.byteCount)
    }
}

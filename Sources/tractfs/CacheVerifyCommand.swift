import ArgumentParser
import BlockCache

/// `tractfs cache verify`.
struct CacheVerifyCommand: ConfigurableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check all that is kept against its checksums, and drop what is damaged.",
        discussion: """
            Mounts check what they read, and files that the kernel reads for them once; this checks everything, now. What \
            is dropped will be fetched again when it is read. The exit status is 0 if all was right, and 1 if something \
            was damaged.
            """)

    @OptionGroup
    var place: CacheFolderOptions

    @OptionGroup
    var files: ConfigurationOptions

    func run() throws {
        guard let cache = try OpenedCache.open(place) else { return }
        var byteCount = 0
        try cache.directory.forEachObject { byteCount += $0.cachedByteCount }
        let report = try verify(cache, progress: ProgressLine("checked", totalByteCount: byteCount, on: .onTerminal()))
        try StandardOutput.write("\(report)\n")
        if report.damagedCount > 0 {
            throw Failure(
                "something in the cache in \(cache.folder) was damaged, and isn't used; if this goes on, check the disk"
            )
        }
    }

    private func verify(_ cache: OpenedCache, progress: consuming ProgressLine) throws -> VerificationReport {
        var report = VerificationReport(folder: cache.folder)
        defer { progress.erase() }
        let nonsenseCount = try cache.directory.verify(progress: { progress.add($0) }) { object, damage in
            report.add(object, isDamaged: damage != nil)
            guard let damage else { return }
            progress.erase()
            // That it can't be written, the summary finds too.
            try? StandardOutput.write("\(VerificationReport.line(object, damage))\n")
        }
        report.add(nonsenseCount: nonsenseCount)
        if nonsenseCount > 0 { try StandardOutput.write("\(VerificationReport.line(nonsenseCount: nonsenseCount))\n") }
        return report
    }
}

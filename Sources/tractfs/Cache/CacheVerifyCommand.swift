import ArgumentParser
import BlockCache
import CommandOutput
import Settings
import SystemSupport

/// `tractfs cache verify`.
struct CacheVerifyCommand: ConfigurableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check the cache against its checksums, and drop damaged blocks.",
        discussion: """
            Mounts check the blocks that they read, and files that the kernel reads by itself once; this command checks \
            everything now. Dropped blocks are fetched again when they are read. The exit status is 0 if everything was \
            intact, and 1 if something was damaged.
            """)

    @OptionGroup
    var place: CacheFolderOptions

    @OptionGroup
    var files: ConfigurationFileOptions

    func run() throws {
        guard let cache = try OpenedCache.open(place) else { return }
        var byteCount = 0
        try cache.directory.forEachObject { byteCount += $0.cachedByteCount }
        let report = try verify(cache, byteCount)
        try StandardOutput.write("\(report)\n")
        if report.damagedCount > 0 {
            throw Failure(
                "something in the cache in \(cache.folder) was damaged, and isn't used; if this goes on, check the disk"
            )
        }
    }

    private func verify(_ cache: OpenedCache, _ totalByteCount: Int) throws -> VerificationReport {
        var report = VerificationReport(folder: cache.folder)
        var progress = ProgressLine.onStandardError(hasLines: false)
        defer { progress.erase() }
        var byteCount = 0
        let nonsenseCount = try cache.directory.verify(progress: { count in
            byteCount += count
            // Mounts may have added blocks since the total was counted.
            let total = ByteCount(max(totalByteCount, byteCount))
            progress.show { _ in "checked \(ByteCount(byteCount).rounded) of \(total.rounded)" }
        }) { object, damage in
            report.add(object, isDamaged: damage != nil)
            guard let damage else { return }
            progress.erase()
            // The summary reports that it can't be written.
            try? StandardOutput.write("\(VerificationReport.line(object, damage))\n")
        }
        report.add(nonsenseCount: nonsenseCount)
        if nonsenseCount > 0 { try StandardOutput.write("\(VerificationReport.line(nonsenseCount: nonsenseCount))\n") }
        return report
    }
}

import BlockCache
import Mounting
import Settings

/// Checks that the kernel can read completely cached files by itself, at the speed of the disk.
struct PassthroughCheck: Check {
    /// `nil` for no cache on the disk.
    let cache: CacheSettings?

    var name: CheckName { .passthrough }

    func run() -> CheckResult<Never> {
        guard let cache else {
            return CheckResult(.skipped(name, because: "only files of the cache are passed through, and there is none"))
        }
        guard let survey = try? CacheFolderSurvey(of: cache.directory) else {
            return CheckResult(
                .skipped(name, because: "only files of the cache are passed through, and its folder can't be used"))
        }
        guard let obstacle = FuseReadiness.passthroughObstacle(for: survey.nearest) else {
            return CheckResult(.ok(name, "files that are wholly in the cache can be read by the kernel itself"))
        }
        let (reason, advice) = words(for: obstacle, folder: "\(cache.directory)")
        return CheckResult(
            .warning(
                name, "files in the cache are read through tractfs, not by the kernel itself: \(reason)", advice: advice
            ))
    }

    private func words(for obstacle: FuseReadiness.PassthroughObstacle, folder: String) -> (String, String) {
        switch obstacle {
        case .kernelTooOld:
            ("Linux \(FuseReadiness.kernelRelease) is older than 6.9", "for faster warm reads use a newer kernel")
        case .notPermitted:
            (
                "that takes root's rights on the machine (CAP_SYS_ADMIN)",
                "for faster warm reads mount as root, with --allow-other, or give the container --cap-add SYS_ADMIN"
            )
        case .stackedFileSystem(let type):
            (
                "\(folder) is on \(type), which lies on another file system",
                "for faster warm reads give --cache-dir a folder on a disk, in a container a volume"
            )
        }
    }
}

import FuseBridge
import SystemSupport

/// Whether this process could mount anything.
struct FuseCheck: Check {
    let allowsOthers: Bool

    var name: CheckName { .fuse }

    func run() -> CheckResult<Never> {
        if let obstacle = FuseReadiness.obstacle(allowsOthers: allowsOthers) {
            return CheckResult(.failure(name, obstacle))
        }
        let release = FuseReadiness.kernelRelease
        return CheckResult(
            .ok(name, "file systems can be mounted here (Linux \(release))", values: [("kernel", .string(release))]))
    }
}

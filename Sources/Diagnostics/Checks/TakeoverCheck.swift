import Mounting

/// Checks that a new process could serve a mount whose server has crashed.
struct TakeoverCheck: Check {
    var name: CheckName { .takeover }

    func run() -> CheckResult<Never> {
        if FuseReadiness.canBeTakenOver {
            return CheckResult(.ok(name, "a mount can survive a crash of the process that serves it"))
        }
        return CheckResult(
            .warning(
                name,
                "if the process that serves a mount crashes, the mount ends: Linux \(FuseReadiness.kernelRelease) is older "
                    + "than 6.9",
                advice: "to have mounts survive that, use a newer kernel"))
    }
}

import CommandOutput
import Glibc
import Synchronization
import SystemPackage
import SystemSupport

/// The handler of Ctrl-C: says that nothing is lost, and ends the process. The mount notices as its waiting requests
/// are interrupted.
final class WarmInterruption: Sendable {
    private static let exitStatus: CInt = 130

    private let run = Mutex<FetchRun?>(nil)

    /// Starts listening. Call it before any thread is started.
    func install() {
        SignalThread.start([SIGINT]) { [self] _ in
            if isatty(STDERR_FILENO) == 1 { _ = try? FileDescriptor.standardError.writeAll("\n".utf8) }
            StandardError.tell(text)
            _exit(WarmInterruption.exitStatus)
        }
    }

    /// Records the current run.
    func note(_ run: FetchRun?) {
        self.run.withLock { $0 = run }
    }

    private var text: String {
        let fetched = run.withLock { $0?.counts.fetchedByteCount } ?? 0
        return "interrupted, \(ByteCount(fetched).rounded) fetched; the same command goes on from there"
    }
}

import FileSystem
import FuseBridge
import Glibc
import SystemPackage
import SystemSupport

/// Fetches files into the mount's cache, in pieces, on several threads that each wait for one piece.
///
/// The mount keeps no state between two pieces. If its process dies during a piece, the kernel requests that piece from
/// the next process. So in any event, missing pieces are requested until they are cached.
final class FetchRun: Sendable {
    struct Options: Sendable {
        /// The number of pieces in flight.
        let parallelCount: Int
        /// `true` if cached blocks are checked.
        let verifies: Bool
        /// `true` if the files are pinned.
        let keeps: Bool
    }

    /// The progress.
    struct Counts: Sendable {
        /// The number of completed bytes.
        var doneByteCount = 0
        /// The number of fetched bytes.
        var fetchedByteCount = 0
        /// The number of damaged blocks that were fetched again.
        var damagedBlockCount = 0
        var failedFileCount = 0
        /// A file that is being fetched.
        var current = ""
        var isOver = false
    }

    /// The most bytes of one request to the mount.
    private static let pieceByteCount = 8 << 20
    /// The pause before a retry, in microseconds, while the mount needs its memory for readers.
    private static let pauses: ClosedRange<UInt32> = 5_000...200_000
    /// The time that the cache may have no room before that is an error: other processes may have a file open briefly.
    private static let noRoomTimeout: Duration = .seconds(10)

    private let files: [WantedFile]
    private let roots: [OpenedFolder]
    private let options: Options
    private let state: Monitor<State>

    init(_ wanted: WantedFiles, _ options: Options) {
        files = wanted.files
        roots = wanted.roots
        self.options = options
        state = Monitor(State(files, options, pieceByteCount: FetchRun.pieceByteCount))
    }

    /// The total number of bytes.
    var totalByteCount: Int {
        files.reduce(0) { $0 + (options.verifies ? $1.byteCount : $1.byteCount - $1.cachedByteCount) }
    }

    /// The current progress.
    var counts: Counts { state.look { $0.counts } }

    /// Runs the fetch to its end.
    ///
    /// - Parameter tell: Called at intervals on this thread, with the progress and the failures since the last call.
    func finish(_ tell: (Counts, [Failure]) -> Void) {
        let threads = (0..<min(options.parallelCount, max(files.count, totalByteCount / FetchRun.pieceByteCount + 1)))
            .map { _ in WorkerThread { [self] in work() } }
        var isOver = false
        while !isOver {
            state.wait(atMost: .milliseconds(250)) { $0.counts.isOver }
            let (counts, failures) = state.change { ($0.counts, $0.takeFailures()) }
            isOver = counts.isOver
            tell(counts, failures)
        }
        for thread in threads { thread.join() }
    }

    // MARK: On a thread

    private func work() {
        while case .piece(let piece) = state.wait({ $0.next() }) {
            do throws(FileSystem.Failure) {
                try fetch(piece)
                guard state.change({ $0.end(piece) }) else { continue }
                try finish(piece.file)
                state.change { $0.close(piece.file) }
            } catch {
                let failure = failure(error, files[piece.file])
                state.change { $0.fail(piece, failure, isFatal: FetchRun.isFatal(error)) }
            }
        }
        // Wakes the thread that waits for the end.
        state.change { _ in }
    }

    private func fetch(_ piece: State.Piece) throws(FileSystem.Failure) {
        let file = files[piece.file]
        var question = FileSystem.FetchQuestion(
            name: file.name, actions: actions, version: file.version, range: piece.range)
        let directory = try open(file)
        var pause = FetchRun.pauses.lowerBound
        var lastProgress = ContinuousClock.now
        while !question.range.isEmpty {
            do throws(FileSystem.Failure) {
                let answer = try directory.fetch(question)
                // One check is enough.
                question.actions.remove(.verify)
                state.change { $0.note(answer, from: question.range.lowerBound, verifies: options.verifies) }
                question.range = max(answer.end, question.range.lowerBound)..<question.range.upperBound
                pause = FetchRun.pauses.lowerBound
                lastProgress = .now
            } catch {
                let isFull = error.errno == .noSpace && ContinuousClock.now < lastProgress + FetchRun.noRoomTimeout
                guard isFull || [.resourceTemporarilyUnavailable, .interrupted].contains(error.errno),
                    !state.look({ $0.isEnding })
                else { throw error }
                usleep(pause)
                pause = min(2 * pause, FetchRun.pauses.upperBound)
            }
        }
    }

    private var actions: FileSystem.FetchQuestion.Actions {
        var actions: FileSystem.FetchQuestion.Actions = .fetch
        if options.verifies { actions.insert(.verify) }
        if options.keeps { actions.insert(.keep) }
        return actions
    }

    /// Checks that all fetched pieces of a file are still cached: the removal of a damaged piece may have removed
    /// others.
    private func finish(_ number: Int) throws(FileSystem.Failure) {
        let file = files[number]
        let answer = try open(file).fetch(
            FileSystem.FetchQuestion(name: file.name, actions: .use, version: file.version))
        if answer.cachedByteCount == file.byteCount { return }
        guard state.change({ $0.again(number) }) else {
            throw FileSystem.Failure(
                errno: .noSpace,
                reason: "parts of it were evicted as they came: the cache is too small, or others fill it")
        }
    }

    private func open(_ file: WantedFile) throws(FileSystem.Failure) -> MountedDirectory {
        do throws(Errno) {
            return try roots[file.root].open(file.place)
        } catch {
            throw FileSystem.Failure(errno: error)
        }
    }

    private func failure(_ failure: FileSystem.Failure, _ file: WantedFile) -> Failure {
        if !failure.reason.isEmpty { return Failure("\(file.shownPath): \(failure.reason)") }
        return MountedTree.cacheFailure(failure.errno, file.shownPath)
    }

    /// Returns `true` if all other files would fail too.
    private static func isFatal(_ failure: FileSystem.Failure) -> Bool {
        let fatal: [Errno] = [
            .socketNotConnected, .connectionAbort, .operationNotSupportedByDevice, .inappropriateIOCTLForDevice,
            .notPermitted, .noSpace, .diskQuotaExceeded, .ioError,
        ]
        return failure.reason.isEmpty && fatal.contains(failure.errno)
    }
}

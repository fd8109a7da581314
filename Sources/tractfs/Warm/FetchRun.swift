import FileSystem
import FuseBridge
import Glibc
import SystemPackage
import SystemSupport

/// Has the mount bring files to its cache, in pieces, on some threads that each wait for one piece.
///
/// The mount remembers nothing between two pieces, and a piece that it had begun when its process died is asked of the next one
/// by the kernel. So whatever happens, what is missing is asked for until it is there.
final class FetchRun: Sendable {
    struct Options: Sendable {
        /// How many pieces at once.
        let parallelCount: Int
        /// Whether what is there already is checked.
        let verifies: Bool
        /// Whether evictions are to leave the files.
        let keeps: Bool
    }

    /// How far it is.
    struct Counts: Sendable {
        /// How many bytes of what there is to do are done.
        var doneByteCount = 0
        /// How many bytes have come.
        var fetchedByteCount = 0
        /// How many damaged blocks were fetched again.
        var damagedBlockCount = 0
        var failedFileCount = 0
        /// A file that something is fetched of.
        var current = ""
        var isOver = false
    }

    /// What one request of the mount's asks for at most.
    private static let pieceByteCount = 8 << 20
    /// How long to wait before asking again, in microseconds, where the mount needs its memory for who reads.
    private static let pauses: ClosedRange<UInt32> = 5_000...200_000
    /// How long the cache may have no room, before that counts: others may have a file open for a moment.
    private static let patience: Duration = .seconds(10)

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

    /// How much there is to do, in bytes.
    var totalByteCount: Int {
        files.reduce(0) { $0 + (options.verifies ? $1.byteCount : $1.byteCount - $1.cachedByteCount) }
    }

    /// How far it is.
    var counts: Counts { state.look { $0.counts } }

    /// Does all of it.
    ///
    /// - Parameter tell: Called every now and then, on this thread, with how far it is and what failed since the last call.
    func finish(_ tell: (Counts, [Failure]) -> Void) {
        let threads = (0..<min(options.parallelCount, max(files.count, totalByteCount / FetchRun.pieceByteCount + 1)))
            .map { _ in WorkerThread { [self] in work() } }
        var isOver = false
        while !isOver {
            state.wait(nanoseconds: 250_000_000) { $0.counts.isOver }
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
        // Who waits for the end looks again.
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
                // Once is enough.
                question.actions.remove(.verify)
                state.change { $0.note(answer, from: question.range.lowerBound, verifies: options.verifies) }
                question.range = max(answer.end, question.range.lowerBound)..<question.range.upperBound
                pause = FetchRun.pauses.lowerBound
                lastProgress = .now
            } catch {
                let isFull = error.errno == .noSpace && ContinuousClock.now < lastProgress + FetchRun.patience
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

    /// All pieces of a file have been there. Looks whether they still are: a piece that was damaged may have taken others with it.
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

    /// Whether no other file will fare better.
    private static func isFatal(_ failure: FileSystem.Failure) -> Bool {
        let fatal: [Errno] = [
            .socketNotConnected, .connectionAbort, .operationNotSupportedByDevice, .inappropriateIOCTLForDevice,
            .notPermitted, .noSpace, .diskQuotaExceeded, .ioError,
        ]
        return failure.reason.isEmpty && fatal.contains(failure.errno)
    }
}

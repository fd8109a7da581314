import FileSystem
import SystemSupport

extension FetchRun {
    /// The pieces to fetch, the threads at work on them, and their results.
    struct State {
        /// Contiguous bytes of a file.
        struct Piece {
            /// The file's index.
            let file: Int
            let range: Range<Int>
        }

        /// The next step of a thread.
        enum Turn {
            case piece(Piece)
            case end
        }

        /// The most passes over a file if pieces of it are lost again.
        private static let roundCountMax = 3

        private(set) var counts = Counts()
        private let files: [WantedFile]
        private let verifies: Bool
        private let pieceByteCount: Int
        /// The files in the order of the passes, and the number of them begun.
        private var queue: [Int]
        private var begunCount = 0
        /// The file whose pieces are being handed out, and the offset of its next piece.
        private var current: (file: Int, offset: Int)?
        /// The number of pieces in flight, by file.
        private var openCounts: [Int: Int] = [:]
        private var roundCounts: [Int: Int] = [:]
        private var failedFiles: Set<Int> = []
        private var failures: [Failure] = []
        /// No new piece is begun.
        private(set) var isEnding = false

        init(_ files: [WantedFile], _ options: Options, pieceByteCount: Int) {
            self.files = files
            self.pieceByteCount = pieceByteCount
            verifies = options.verifies
            queue = files.indices.filter { index in
                let file = files[index]
                let isDone = file.cachedByteCount == file.byteCount && (file.isKept || !options.keeps)
                return file.byteCount > 0 && (options.verifies || !isDone)
            }
            counts.isOver = queue.isEmpty
        }

        /// Returns the next step of a thread; `nil` while it depends on pieces in flight.
        mutating func next() -> Turn? {
            while !isEnding, let file = current?.file ?? nextFile() {
                let offset = current?.offset ?? 0
                // The rest of a file that has failed once is useless.
                guard !failedFiles.contains(file) else {
                    current = nil
                    continue
                }
                let end = min(offset + pieceByteCount, files[file].byteCount)
                // For a complete file that only needs a pin, one piece is enough.
                let isLast = end == files[file].byteCount || isThere(file)
                current = isLast ? nil : (file, end)
                openCounts[file, default: 0] += 1
                counts.current = files[file].shownPath
                return .piece(Piece(file: file, range: offset..<end))
            }
            guard openCounts.isEmpty else { return nil }
            counts.isOver = true
            return .end
        }

        private mutating func nextFile() -> Int? {
            guard begunCount < queue.count else { return nil }
            begunCount += 1
            return queue[begunCount - 1]
        }

        private func isThere(_ file: Int) -> Bool {
            !verifies && files[file].cachedByteCount == files[file].byteCount && roundCounts[file] == nil
        }

        /// Records that a piece has been fetched.
        ///
        /// - Returns: `true` if the file is complete except for a final check; it counts as open until `close` or
        ///   `fail`.
        mutating func end(_ piece: Piece) -> Bool {
            let isLast = openCounts[piece.file] == 1 && current?.file != piece.file
            guard !isLast || failedFiles.contains(piece.file) else { return true }
            close(piece.file)
            return false
        }

        /// Records that a thread no longer works on a piece of `file` or on its final check.
        mutating func close(_ file: Int) {
            guard let count = openCounts[file] else { return }
            openCounts[file] = count == 1 ? nil : count - 1
        }

        /// Schedules another pass over a file. Returns `false` if the limit of passes is reached.
        mutating func again(_ file: Int) -> Bool {
            roundCounts[file, default: 1] += 1
            guard roundCounts[file, default: 1] <= State.roundCountMax else { return false }
            queue.append(file)
            return true
        }

        /// Records the response for a piece requested from `start` on.
        mutating func note(_ response: FileSystem.FetchResponse, from start: Int, verifies: Bool) {
            counts.doneByteCount += verifies ? max(response.end - start, 0) : response.fetchedByteCount
            counts.fetchedByteCount += response.fetchedByteCount
            counts.damagedBlockCount += response.damagedBlockCount
        }

        /// Records that a piece, and so its file, can't be fetched.
        ///
        /// - Parameter isFatal: `true` if no other file can be fetched either.
        mutating func fail(_ piece: Piece, _ failure: Failure, isFatal: Bool) {
            close(piece.file)
            // Report one failure per cause, and one per file.
            guard failedFiles.insert(piece.file).inserted, !isEnding else { return }
            counts.failedFileCount += 1
            failures.append(failure)
            if isFatal { isEnding = true }
        }

        /// Returns the failures since the last call.
        mutating func takeFailures() -> [Failure] {
            defer { failures = [] }
            return failures
        }
    }
}

import FileSystem

extension FetchRun {
    /// Which pieces there are to do, who does them, and what has come of them.
    struct State {
        /// Adjoining bytes of a file.
        struct Piece {
            /// The file's index.
            let file: Int
            let range: Range<Int>
        }

        /// What a thread does next.
        enum Turn {
            case piece(Piece)
            case end
        }

        /// How often a file is gone through, if pieces of it are lost again.
        private static let roundCountMax = 3

        private(set) var counts = Counts()
        private let files: [WantedFile]
        private let verifies: Bool
        private let pieceByteCount: Int
        /// The files in the order in which they are gone through, and how many of them were begun.
        private var queue: [Int]
        private var begunCount = 0
        /// The file whose pieces are being handed out, and where the next one begins.
        private var current: (file: Int, offset: Int)?
        /// How many pieces of a file threads are at.
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

        /// What a thread does next; `nil` while that depends on what others are at.
        mutating func next() -> Turn? {
            while !isEnding, let file = current?.file ?? nextFile() {
                let offset = current?.offset ?? 0
                // The rest of a file that has failed once is of no use.
                guard !failedFiles.contains(file) else {
                    current = nil
                    continue
                }
                let end = min(offset + pieceByteCount, files[file].byteCount)
                // Of one that is there, and is only to be kept, one piece is enough.
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

        /// A piece has come.
        ///
        /// - Returns: Whether the file is done, but for a last look; the file counts as open until `close` or `fail`.
        mutating func end(_ piece: Piece) -> Bool {
            let isLast = openCounts[piece.file] == 1 && current?.file != piece.file
            guard !isLast || failedFiles.contains(piece.file) else { return true }
            close(piece.file)
            return false
        }

        /// A thread is at no piece of `file` any more, nor at looking at it.
        mutating func close(_ file: Int) {
            guard let count = openCounts[file] else { return }
            openCounts[file] = count == 1 ? nil : count - 1
        }

        /// Has a file gone through once more; whether that hasn't been often enough.
        mutating func again(_ file: Int) -> Bool {
            roundCounts[file, default: 1] += 1
            guard roundCounts[file, default: 1] <= State.roundCountMax else { return false }
            queue.append(file)
            return true
        }

        /// What a piece was answered with that was asked for from `start` on.
        mutating func note(_ answer: FileSystem.FetchAnswer, from start: Int, verifies: Bool) {
            counts.doneByteCount += verifies ? max(answer.end - start, 0) : answer.fetchedByteCount
            counts.fetchedByteCount += answer.fetchedByteCount
            counts.damagedBlockCount += answer.damagedBlockCount
        }

        /// A piece can't be had, and so its file.
        ///
        /// - Parameter isFatal: Whether no other file can be had either.
        mutating func fail(_ piece: Piece, _ failure: Failure, isFatal: Bool) {
            close(piece.file)
            // Of one cause, and of one file, once is enough.
            guard failedFiles.insert(piece.file).inserted, !isEnding else { return }
            counts.failedFileCount += 1
            failures.append(failure)
            if isFatal { isEnding = true }
        }

        /// What has failed since this was called last.
        mutating func takeFailures() -> [Failure] {
            defer { failures = [] }
            return failures
        }
    }
}

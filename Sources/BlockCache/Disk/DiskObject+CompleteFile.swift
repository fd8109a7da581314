import BitCollections
import Synchronization
import struct SystemPackage.Errno

extension DiskObject {
    /// The whole object's file, if all of its blocks are there and known to be right. If they are there and not known to be
    /// right, that is found out in the background, and the answer is `nil` meanwhile.
    public var completeFile: CompleteFile? {
        guard let files = files(), let holdsSeal = try? files.holdsSeal() else { return nil }
        guard holdsSeal else {
            proveIfComplete()
            return nil
        }
        noteUse()
        if let file = state.withLock({ $0.files === files ? $0.completeFile : nil }) { return file }
        // What goes wrong here, such as that no descriptor is left, goes wrong this time only.
        guard let found = try? .some(cache.directory.completeFile(of: files)) else { return nil }
        guard let file = found else {
            // It has been removed, or something else put in its place: from now on there is nothing.
            try? drop(files)
            return nil
        }
        state.withLock { state in
            if state.files === files { state.completeFile = file }
        }
        return file
    }

    /// Writes all blocks of the object, ahead of what is queued, so that it can be handed over as a file at once.
    ///
    /// - Parameters:
    ///   - blocks: All of them; held until `completion` returns, and `didRelease` called then.
    ///   - completion: Gets the file on one of the cache's threads, or `nil` if the disk doesn't take it now. Called on this
    ///     thread, at once, if the cache has been shut down.
    public func complete(with blocks: [Block], completion: @escaping @Sendable (CompleteFile?) -> Void) {
        precondition(blocks.count == identity.blockCount)
        let isRunning = cache.ioThreads.run { [self] in
            completion(completeNow(with: blocks))
        }
        if !isRunning { completion(nil) }
    }

    private func completeNow(with blocks: [Block]) -> CompleteFile? {
        guard mayBeStored else { return nil }
        let blocks = blocks.enumerated().map { IndexedBlock(index: $0.offset, block: $0.element) }
        guard cache.write(blocks, of: self, mayEvict: false) == .written else {
            // Too late for this time, in time for the next.
            _ = cache.writer.add(blocks, of: self)
            return nil
        }
        if cache.space.isShort(in: cache.directory) { cache.writer.makeRoom() }
        if let files = files(), (try? files.holdsSeal()) == false { seal(files) }
        return completeFile
    }

    /// Checks the blocks on a thread of the cache, if all of them are there, and seals the object if they are right.
    func proveIfComplete() {
        guard let files = files(), state.withLock({ !$0.isProving }), isComplete(files) else { return }
        let isFirst = state.withLock { state in
            defer { state.isProving = true }
            return !state.isProving
        }
        guard isFirst else { return }
        let isRunning = cache.ioThreads.run(inBackground: true) { [self] in
            if (try? files.holdsSeal()) == false { seal(files) }
            state.withLock { $0.isProving = false }
        }
        if !isRunning { state.withLock { $0.isProving = false } }
    }

    private func isComplete(_ files: ObjectFiles) -> Bool {
        // From where one stopped the last time: an object that is being filled isn't looked at as a whole again and again.
        let start = state.withLock { $0.firstAbsent }
        do throws(Errno) {
            var absent = try files.firstAbsent(from: start)
            if absent == nil { absent = try files.firstAbsent(from: 0) }
            state.withLock { $0.firstAbsent = absent ?? 0 }
            return absent == nil
        } catch {
            return false
        }
    }

    /// Waits for the disk, checks the blocks that this process hasn't written itself, and writes a seal if all are right and
    /// nobody has written meanwhile. What the disk hasn't taken isn't sealed: the kernel would go on showing it to who reads the
    /// file through us or by itself, and show zeros as soon as it needs the memory.
    private func seal(_ files: ObjectFiles) {
        do throws(Errno) {
            let (look, proven) = try files.ownBlocks()
            guard try files.isIntact() else { return try drop(files) }
            guard try isWrittenOut(files) else { return }
            guard isRight(files, apart: proven) else { return }
            _ = try files.locked(.exclusive, patience: DiskObject.sealPatience) { _ throws(Errno) in
                guard try files.look() == look, try files.firstAbsent(from: 0) == nil else { return }
                try files.index.write(look.bytes(for: identity), at: IndexHeader.sealOffset)
            }
        } catch {
            cache.health.noteFailure(error)
        }
    }

    /// Whether the disk has taken all that was written; if it hasn't, the files go.
    private func isWrittenOut(_ files: ObjectFiles) throws(Errno) -> Bool {
        do throws(Errno) {
            try files.data.writeOut()
            return true
        } catch {
            try drop(files)
            throw error
        }
    }

    private func isRight(_ files: ObjectFiles, apart proven: BitSet) -> Bool {
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: Block.byteCount, alignment: 4096)
        defer { scratch.deallocate() }
        for index in 0..<identity.blockCount where !proven.contains(index) {
            guard !cache.ioThreads.isEnding else { return false }
            let buffer = UnsafeMutableRawBufferPointer(rebasing: scratch[..<identity.bytes(ofBlock: index).count])
            guard countRight([buffer], from: index, in: files) == 1 else { return false }
        }
        return true
    }

    /// How long to wait for who is just writing blocks.
    private static let sealPatience: Duration = .seconds(1)
}

import BitCollections
import Synchronization
import struct SystemPackage.Errno

extension DiskObject {
    /// The file of the whole object, if all blocks are cached and verified. If they are cached but not verified, they
    /// are checked in the background, and this is `nil` meanwhile.
    public var completeFile: CompleteFile? {
        guard let files = files(), let holdsSeal = try? files.holdsSeal() else { return nil }
        guard holdsSeal else {
            proveIfComplete()
            return nil
        }
        noteUse()
        if let file = state.withLock({ $0.files === files ? $0.completeFile : nil }) { return file }
        // A failure here, such as a lack of descriptors, concerns only this attempt.
        guard let found = try? .some(cache.directory.completeFile(of: files)) else { return nil }
        guard let file = found else {
            // The file was removed or replaced: from now on nothing is cached.
            try? drop(files)
            return nil
        }
        state.withLock { state in
            if state.files === files { state.completeFile = file }
        }
        return file
    }

    /// Writes all blocks of the object, ahead of the queue, so that the file can be handed over at once.
    ///
    /// - Parameters:
    ///   - blocks: All blocks; held until `completion` returns, then `didRelease` is called.
    ///   - completion: Receives the file on a thread of the cache, or `nil` if the disk can't take it now. Called at
    ///     once on the calling thread if the cache has been shut down.
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
            // Too late for this time, but in time for the next.
            _ = cache.writer.add(blocks, of: self)
            return nil
        }
        if cache.space.isShort(in: cache.directory) { cache.writer.makeRoom() }
        if let files = files(), (try? files.holdsSeal()) == false { seal(files) }
        return completeFile
    }

    /// Checks all blocks on a thread of the cache if all are cached, and seals the object if they are right.
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
        // Start where the last check stopped, so that an object being filled isn't scanned as a whole again and again.
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

    /// Waits for the disk, checks the blocks that this process hasn't written itself, and writes a seal if all are
    /// right and no other process has written meanwhile. Bytes that the disk hasn't accepted aren't sealed: the kernel
    /// would keep serving them from memory, both to us and to direct readers, and would show zeros once it reclaims
    /// that memory.
    private func seal(_ files: ObjectFiles) {
        do throws(Errno) {
            let (look, proven) = try files.ownBlocks()
            guard try files.isIntact() else { return try drop(files) }
            guard try isWrittenOut(files) else { return }
            guard isRight(files, apart: proven) else { return }
            _ = try files.locked(.exclusive, timeout: DiskObject.sealLockTimeout) { _ throws(Errno) in
                guard try files.look() == look, try files.firstAbsent(from: 0) == nil else { return }
                try files.index.write(look.bytes(for: identity), at: IndexHeader.sealOffset)
            }
        } catch {
            cache.health.noteFailure(error)
        }
    }

    /// Returns `true` if the disk has accepted all writes; otherwise removes the files.
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

    /// The timeout for the lock while blocks are being written.
    private static let sealLockTimeout: Duration = .seconds(1)
}

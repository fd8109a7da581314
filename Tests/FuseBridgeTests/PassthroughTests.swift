import Dispatch
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Passthrough", mounts, passesThrough) struct PassthroughTests {
    @Test func `a backing file is read and mapped without this process`() throws {
        try PassthroughObject.withMount { object, path in
            let file = try open(path)
            defer { try? file.close() }
            #expect(try bytes(of: file) == object.localBytes)
            #expect(try bytes(of: file, from: 4_097) == Array(object.localBytes[4_097...]))
            #expect(try mappedBytes(of: file, MAP_SHARED) == object.localBytes)
            #expect(try mappedBytes(of: file, MAP_PRIVATE) == object.localBytes)
            #expect(object.store.rangeRequests.isEmpty)
        }
    }

    @Test func `two processes read a backing file at once`() throws {
        try PassthroughObject.withMount { object, path in
            let file = try open(path)
            defer { try? file.close() }
            try runChecked("cmp", [path, object.localPath])
            #expect(try bytes(of: file) == object.localBytes)
            #expect(object.store.rangeRequests.isEmpty)
        }
    }

    @Test func `later opens have the source of the first one until the last handle is closed`() throws {
        try PassthroughObject.withMount { object, path in
            let first = try open(path)
            object.setLocalFile(nil)
            let second = try open(path)
            try first.close()
            let third = try open(path)
            #expect(try bytes(of: second) == object.localBytes)
            #expect(try bytes(of: third) == object.localBytes)
            #expect(object.store.rangeRequests.isEmpty)
            try second.close()
            try third.close()
            // The kernel releases a file asynchronously.
            try eventually("a read through us") { try bytes(at: path) == object.storeBytes }
        }
    }

    @Test func `while a file is read through this process, so are later opens`() throws {
        try PassthroughObject.withMount { object, path in
            object.setLocalFile(nil)
            let first = try open(path)
            object.setLocalFile(object.localPath)
            let second = try open(path)
            #expect(try bytes(of: first) == object.storeBytes)
            #expect(try bytes(of: second) == object.storeBytes)
            #expect(try mappedBytes(of: second, MAP_SHARED) == object.storeBytes)
            try first.close()
            try second.close()
            try eventually("a read of the lent file") { try bytes(at: path) == object.localBytes }
        }
    }

    @Test func `a backing file that is unlinked can still be read`() throws {
        try PassthroughObject.withMount { object, path in
            let file = try open(path)
            try FileManager.default.removeItem(atPath: object.localPath)
            #expect(try bytes(of: file) == object.localBytes)
            #expect(try mappedBytes(of: file, MAP_SHARED) == object.localBytes)
            #expect(try bytes(at: path) == object.localBytes, "a later open shares it")
            try file.close()
            try eventually("a read through us") { try bytes(at: path) == object.storeBytes }
        }
    }

    @Test("with O_DIRECT any offset can be read, with or without a backing file", arguments: [true, false])
    func direct(isLending: Bool) throws {
        try PassthroughObject.withMount { object, path in
            object.setLocalFile(isLending ? object.localPath : nil)
            let file = try open(path, direct: true)
            defer { try? file.close() }
            #expect(try bytes(of: file) == object.storeBytes)
            #expect(try bytes(of: file, from: 1_001) == Array(object.storeBytes[1_001...]))
            let mapped = try mappedBytes(of: file, MAP_SHARED)
            #expect(mapped == (isLending ? object.localBytes : object.storeBytes))
            // Another handle of the file is not affected.
            #expect(try bytes(at: path) == (isLending ? object.localBytes : object.storeBytes))
        }
    }

    @Test func `threads that open and close continuously get the bytes of one source, and never an error`() throws {
        try PassthroughObject.withMount { object, path in
            DispatchQueue.concurrentPerform(iterations: 4) { worker in
                for round in 0..<50 {
                    object.setLocalFile((worker + round) % 3 != 0 ? object.localPath : nil)
                    #expect(throws: Never.self) {
                        let read = try bytes(at: path)
                        #expect(read == object.localBytes || read == object.storeBytes)
                    }
                }
            }
        }
    }
}

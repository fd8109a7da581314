import Foundation
import ObjectStore

/// The folder of a disk cache, for tests that look into it or damage it.
struct TestCache: Sendable {
    /// The folder of the cache.
    let path: String

    /// The options of a mount that uses it.
    var options: [String] { ["--cache-dir", path] }

    /// All files in it, whole paths.
    var files: [String] {
        let names = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        return names.map { path + "/" + $0 }
    }

    /// The data file of the newest version of `key` that is cached; `nil` if there is none.
    func dataFile(of key: Key) -> String? {
        indexFile(of: key).map { $0.dropLast(".index".count) + ".data" }
    }

    /// The index of the newest version of `key` that is cached; `nil` if there is none. The key stands in it as it is.
    func indexFile(of key: Key) -> String? {
        let found = files.filter { file in
            guard file.hasSuffix(".index"), let bytes = FileManager.default.contents(atPath: file) else { return false }
            return bytes.firstRange(of: key.bytes) != nil
        }
        return found.max { modified($0) < modified($1) }
    }

    private func modified(_ file: String) -> Date {
        let attributes = try? FileManager.default.attributesOfItem(atPath: file)
        return attributes?[.modificationDate] as? Date ?? .distantPast
    }

    /// Returns `true` if all blocks of the newest version of `key` are cached: an index ends with 8 bytes for each
    /// block of 128 KiB, which are 0 for a block that is not.
    func isComplete(_ key: Key) -> Bool {
        guard let index = indexFile(of: key).flatMap({ FileManager.default.contents(atPath: $0) }),
            let data = dataFile(of: key).flatMap({ try? FileManager.default.attributesOfItem(atPath: $0) }),
            let byteCount = data[.size] as? Int
        else { return false }
        let entries = index.suffix((byteCount + blockByteCount - 1) / blockByteCount * 8)
        return stride(from: entries.startIndex, to: entries.endIndex, by: 8).allSatisfy { start in
            entries[start..<start + 8].contains { $0 != 0 }
        }
    }

    /// The disk space of all files, as du(1) counts it.
    var allocatedByteCount: Int {
        ([path] + files).reduce(0) { sum, file in
            var status = stat()
            // A file may be removed meanwhile.
            return lstat(file, &status) == 0 ? sum + Int(status.st_blocks) * 512 : sum
        }
    }
}

/// The cache's blocks, which it stores and checks one by one.
let blockByteCount = 128 << 10

/// The lines of warnings and errors in a log file of tractfs.
func troubles(inLog path: String) -> [String] {
    let text = String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    return text.split(separator: "\n").map(String.init).filter { line in
        [" warning tractfs", " error tractfs", " critical tractfs"].contains { line.contains($0) }
    }
}

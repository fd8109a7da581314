import BlockCache
import FuseBridge
import SystemSupport

/// Whether the cache's folder can be used, and has room.
struct CacheCheck: Check {
    let options: CacheOptions
    let environment: [String: String]

    var name: CheckName { .cache }

    private static let memoryTypes: Set = ["tmpfs", "ramfs"]

    func run() -> CheckResult<Never> {
        do throws(Failure) {
            guard let cache = try options.settings(environment: environment) else {
                return CheckResult(.ok(name, "none: nothing is kept on the disk"))
            }
            return CheckResult(finding(on: cache))
        } catch {
            return CheckResult(.failure(name, error))
        }
    }

    private func finding(on cache: CacheSettings) -> Finding {
        do throws(DiskCacheError) {
            return finding(on: cache, try CacheFolderSurvey(of: cache.directory))
        } catch {
            // A mount then goes on without.
            if case .unusable = error, !cache.isRequired {
                return .warning(name, Failure("\(error); until then a mount keeps nothing on the disk"))
            }
            return .failure(name, error)
        }
    }

    private func finding(on cache: CacheSettings, _ survey: CacheFolderSurvey) -> Finding {
        let type =
            survey.fileSystem.isShared
            ? survey.fileSystem.type : FuseReadiness.fileSystemType(of: survey.nearest) ?? "unknown"
        let limit = ByteCount(cache.byteLimit)
        let values: [(name: String, value: JSONObject.Value)] = [
            ("folder", .string("\(cache.directory)")), ("file_system", .string(type)),
            ("room_bytes", .number(survey.roomByteCount)), ("limit_bytes", .number(cache.byteLimit)),
            ("used_bytes", .number(survey.usedByteCount)),
        ]
        let state = survey.isThere ? "can be used" : "can be made"
        let message =
            "\(cache.directory) \(state) (\(type)), and has room for \(ByteCount(survey.roomByteCount).rounded)"
        if let advice = advice(on: cache, survey, type: type) {
            return .warning(name, "\(message) of \(limit)", advice: advice, values: values)
        }
        return .ok(name, "\(message); at most \(limit) are used", values: values)
    }

    private func advice(on cache: CacheSettings, _ survey: CacheFolderSurvey, type: String) -> String? {
        if !survey.fileSystem.hasSharedLocks {
            return "nothing would be kept, since locks don't keep other machines from it: "
                + DiskCacheError.localDiskAdvice
        }
        if survey.fileSystem.isShared {
            return
                "a network's file system is slow for this, listings would not be kept, and one machine at a time can use it: "
                + DiskCacheError.localDiskAdvice
        }
        if survey.roomByteCount < CacheSettings.minimumByteLimit {
            return
                "nothing would be kept, since \(ByteCount(survey.floorByteCount).rounded) of the disk stay free for others: "
                + "make room, or give another --cache-dir"
        }
        if survey.roomByteCount < cache.byteLimit {
            return "less than the limit would be kept: make room, give another --cache-dir or a smaller --cache-size"
        }
        if Self.memoryTypes.contains(type) {
            return "this takes memory, up to the limit: give --cache-dir a folder on a disk"
        }
        return nil
    }
}

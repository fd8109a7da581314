import MountControl
import Testing
import TestSupport

@testable import Reporting

/// The texts of a status, without a mount.
@Suite("The text of a status") struct StatusTextTests {
    private static func answer(uri: String = "s3://b/", sent: Int = 0, since: Double = 1) -> String {
        let latency = """
            {"count": 2, "sum_seconds": 0.5, "p50_seconds": 0.0125, "p90_seconds": 0.4, "p99_seconds": 0.4, "max_seconds": 0.4}
            """
        let kind = """
            {"requests": \(sent), "retries": 0, "hedges": 0, "unsent": 0, "sent": \(sent), "failed": 0, "cancelled": 0,
             "errors": {"throttled": 3}, "received_bytes": \(sent * 1_048_576), "time_to_first_byte": \(latency)}
            """
        return """
            {"uri": "\(uri)", "endpoint": "https://s3", "region": "r", "version": "9", "mounted_at": "m", "since": "s",
             "since_seconds": \(since), "server_pid": 7, "supervisor_pid": null, "generation": 2, "credentials": null,
             "requests": {"get": \(kind), "list": \(kind), "in_flight": 0, "waiting": 0, "in_flight_limit": 8,
              "connection_limit": 64},
             "reads": {"reads": 4, "waited": 1, "failed": 0, "s3_bytes": 100, "disk_cache_bytes": 200, "memory_cache_bytes": 100},
             "passthrough": {"usable": false, "files": 0, "opens": 0},
             "names": {"lookups": 0, "lookups_waited": 0, "archived_listings": 0, "folders": 0, "inodes": 1},
             "open": {"files": 0, "folders": 0}, "kernel": null, "a member of a later version": [1],
             "memory": {"limit_bytes": 1, "process_bytes": null, "block_limit_bytes": 1, "block_bytes": 1,
              "block_in_flight_bytes": 0, "reads_waiting": 0, "metadata_limit_bytes": 1, "metadata_bytes": 1},
             "disk_cache": null}
            """
    }

    private struct Refusal: Error, CustomStringConvertible {
        let description = "/mnt is served by another version"
    }

    private func mount(_ answer: String, at mountPoint: String = "/mnt") throws -> ObservedMount {
        let status = try #require(MountStatus(parsing: answer))
        return ObservedMount(mountPoint: mountPoint, source: "s3://b", status: .success(status))
    }

    @Test(arguments: [
        "served by    tractfs 9, process 7 since s (generation 2), not supervised",
        "credentials  none, requests are not signed", "errors       3 GET throttled, 3 LIST throttled",
        "cost         about $0.0054 at list prices (S3 Standard, us-east-1, 2026)",
        "first byte   GET 13 ms median, 400 ms p90, 400 ms p99, 400 ms at most",
        "reads        4, 1 had to wait, 0 failed; 75 % from caches", "disk cache   none",
        "now          0 in flight, 0 waiting, at most 8 at once: the store asks for less than 64",
    ])
    func `the text of a status has a line for each subject, also if the server sends more members`(line: String) throws
    {
        #expect(try StatusText(mount(Self.answer(sent: 1_000))).text.contains("  \(line)\n"))
    }

    @Test func `the status shows the bytes that came too fast for the disk, if there were any`() throws {
        func line(_ more: String) throws -> String? {
            let cache =
                "{\"directory\": \"/c\", \"limit_bytes\": 1024, \"used_bytes\": 0, \"storing\": true, \"damaged\": 0\(more)}"
            let text = Self.answer().replacing("\"disk_cache\": null", with: "\"disk_cache\": \(cache)")
            return try StatusText.rows(#require(MountStatus(parsing: text))).last
        }
        let usual = "disk cache   0B of 1.0KiB in /c"
        #expect(try line("") == usual)
        #expect(try line(", \"skipped_bytes\": 0, \"stored_later_bytes\": 0") == usual)
        #expect(
            try line(", \"skipped_bytes\": 4096, \"stored_later_bytes\": 2048")
                == usual + "; 4.0KiB came too fast for the disk, 2.0KiB of it stored later")
    }

    @Test func `a mount without a status shows the reason instead of the lines`() {
        let mount = ObservedMount(mountPoint: "/mnt", source: "s3://b", status: .failure(Refusal()))
        #expect(StatusText(mount).text == "/mnt: s3://b\n  /mnt is served by another version\n")
    }

    @Test func `metrics escape mount points, and a mount that doesn't respond is down`() throws {
        let silent = ObservedMount(mountPoint: "/a\\b\"c\nd", source: "s3://b", status: .failure(Refusal()))
        let metrics = try StatusMetrics([silent, mount(Self.answer(sent: 5))]).text
        #expect(
            metrics.contains("tractfs_up{mount_point=\"/a\\\\b\\\"c\\nd\"} 0\ntractfs_up{mount_point=\"/mnt\"} 1\n"))
        #expect(metrics.contains("tractfs_s3_errors_total{mount_point=\"/mnt\",kind=\"get\",error=\"throttled\"} 3\n"))
        #expect(metrics.contains("_seconds{mount_point=\"/mnt\",kind=\"get\",quantile=\"0.5\"} 0.0125\n"))
        // A missing value is no sample, rather than 0.
        #expect(!metrics.contains("tractfs_disk_cache_bytes"))
    }

    @Test func `a frame of the live screen is cut to its width, and has the rates of the last second`() throws {
        var frames = StatusFrames()
        let far = "/" + String(repeating: "é", count: 100)
        _ = frames.next(try mount(Self.answer(sent: 10, since: 1), at: far))
        let lines = frames.next(try mount(Self.answer(sent: 13, since: 2), at: far))
        #expect(lines[0].count == 80 && lines[0].hasSuffix("…") && lines.allSatisfy { $0.count <= 80 })
        #expect(lines[2].hasPrefix("from S3") && lines[2].hasSuffix("█  6.0MiB/s"))
        #expect(lines[4].hasPrefix("GET") && lines[4].hasSuffix("█  3.0/s"))
        #expect(lines.count <= 24)
    }

    @Test func `a sparkline scales its bars to the largest value, with the latest one at the right`() {
        var line = Sparkline(width: 4)
        #expect(line.text == "    ")
        for value in [0, 100, 0, 50, 1] as [Double] { line.append(value) }
        #expect(line.text == "█▁▅▂")
    }

    @Test(arguments: [
        (0, 1, "0.0"), (0.04, 1, "0.0"), (0.05, 1, "0.1"), (12.345, 2, "12.35"), (1.5, 0, "2"), (3, 4, "3.0000"),
    ])
    func `decimals are rounded to the given number of digits`(value: Double, digitCount: Int, text: String) {
        #expect(Decimals.text(value, digitCount) == text)
    }
}

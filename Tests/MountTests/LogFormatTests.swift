import Foundation
import Logging
import ObjectStore
import SystemSupport
import TestSupport
import Testing

@testable import tractfs

/// What a line of JSON says.
private func object(_ line: some StringProtocol) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
}

@Suite("A log line") struct LogLineTests {
    /// What a terminal would obey, what JSON must escape, and what is text.
    private static let nasty = "a\u{1B}[2J\"\\\n\r\t\u{202E}\u{2028}\u{0} ü 🧠"

    private func line(_ format: LogFormat, isForJournal: Bool, _ level: Logger.Level = .warning) -> String {
        var handler = StandardErrorHandler(
            label: "tractfs", format: format, isForJournal: isForJournal, logLevel: .trace)
        handler[metadataKey: "all"] = "b c"
        return handler.line(
            LogEvent(
                level: level, message: "\(Self.nasty)", metadata: ["key": "\(Self.nasty)"], source: "Test", file: "",
                function: "", line: 1))
    }

    @Test func `as JSON is one object, which says all, and nothing that a terminal obeys`() throws {
        let line = line(.json, isForJournal: false)
        #expect(!line.unicodeScalars.contains { $0.isControlOrFormat })
        let event = try object(line)
        #expect(event["message"] as? String == Self.nasty)
        #expect(event["metadata"] as? [String: String] == ["all": "b c", "key": Self.nasty])
        #expect(event["level"] as? String == "warning" && event["label"] as? String == "tractfs")
        #expect(event["source"] as? String == "Test" && event["pid"] as? Int == Int(getpid()))
        let time = try #require(event["time"] as? String)
        #expect(try /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/.wholeMatch(in: time) != nil, "\(time)")
    }

    @Test(
        "has for the journal its level before it",
        arguments: zip(Logger.Level.allCases, [7, 7, 6, 5, 4, 3, 2]))
    func journal(level: Logger.Level, priority: Int) throws {
        let text = line(.text, isForJournal: true, level)
        #expect(text.hasPrefix("<\(priority)>a\u{1B}") && text.contains(" all=b c key=a"))
        #expect(text.split(whereSeparator: \.isNewline).count == 1)
        let json = line(.json, isForJournal: true, level)
        #expect(json.hasPrefix("<\(priority)>{"))
        #expect(try object(json.dropFirst(3))["level"] as? String == level.rawValue)
    }
}

@Suite("A mount's log", mounts) struct LogFormatTests {
    @Test(arguments: [["--log-format", "json"], ["-o", "log-format=json"]])
    func `is JSON line by line, also of the successor`(options: [String]) throws {
        try withS3TestServer { server in
            server.put("f\u{1B}[2J", .text("read me"))
            server.put("file", .text("read me"))
            try withTemporaryDirectory { directory in
                let log = directory + "/log"
                try withMount(
                    uri: "s3://\(server.bucket)",
                    options: ["--endpoint-url", server.endpointURL, "--log-level", "debug", "--log-file", log]
                        + options, environment: environmentWithKeys
                ) { mountPoint in
                    guard kernelIsAtLeast(6, 9) else { return }
                    let first = try #require(MountProcesses(of: mountPoint)).server
                    kill(first, SIGKILL)
                    #expect(try runChecked("cat", [mountPoint + "/file"]) == "read me")
                }
                let text = try String(contentsOfFile: log, encoding: .utf8)
                let events = try text.split(separator: "\n").map { try object($0) }
                let messages = events.compactMap { $0["message"] as? String }
                #expect(messages.count == events.count)
                for part in ["mounted s3://", "ended"] + (kernelIsAtLeast(6, 9) ? ["has taken over after"] : []) {
                    #expect(messages.contains { $0.contains(part) }, "\(part) in \(messages)")
                }
                #expect(!text.unicodeScalars.contains { $0.isControlOrFormat && $0 != "\n" })
                #expect(Set(events.compactMap { $0["pid"] as? Int }).count > 1 || !kernelIsAtLeast(6, 9))
            }
        }
    }

    @Test("goes to the journal with levels, and so does a failure", arguments: ["text", "json"])
    func journal(format: String) throws {
        try withS3TestServer { server in
            try withTemporaryDirectory { directory in
                let mountPoint = directory + "/mount"
                try runChecked("mkdir", [mountPoint])
                // As systemd tells a service whose standard error it has connected with the journal.
                let script = "JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec \"$0\" \"$@\""
                let command = try [
                    "-c", script, tractfsExecutable(), "mount", "--foreground", "s3://\(server.bucket)", mountPoint,
                    "--no-cache", "--endpoint-url", server.endpointURL, "--log-format", format,
                ]
                let mount = try BackgroundProcess(
                    "sh", command, environment: environmentWithKeys, outputDirectory: directory)
                defer { mount.end() }
                try eventually("the mount") { mount.errorOutput.contains("mounted s3://") }
                // It is mounted on already.
                let failure = try run("sh", command, environment: environmentWithKeys)
                #expect(failure.status == 1 && failure.errorOutput.hasPrefix("<3>"), "\(failure)")
                #expect(failure.errorOutput.contains("already"))
                mount.end()
                let lines = mount.errorOutput.split(separator: "\n")
                #expect(lines.allSatisfy { $0.hasPrefix("<") }, "\(lines)")
                #expect(lines.contains { $0.hasPrefix(format == "text" ? "<6>mounted s3://" : "<6>{\"time\": ") })
            }
        }
    }

    @Test("--log-format is text or json", arguments: ["--log-format", "-olog_format"])
    func wrongFormat(option: String) throws {
        let result = try run(tractfsExecutable(), ["mount", "s3://b", "/nowhere", "\(option)=xml"])
        #expect(result.status == 64 && result.errorOutput.contains("give text or json"), "\(result)")
    }
}

@Suite("A mount's log file", mounts) struct LogRotationTests {
    private static let programs = ["/usr/sbin/logrotate", "/usr/bin/fuser"]
    private static let hasPrograms = programs.allSatisfy { FileManager.default.isExecutableFile(atPath: $0) }

    @Test(.enabled(if: hasPrograms, "needs logrotate and psmisc"))
    func `is rotated by the logrotate configuration that comes with tractfs`() throws {
        try withS3TestServer { server in
            server.put("file", .text("read me"))
            try withTemporaryDirectory { directory in
                let log = directory + "/hcp.log"
                try String(contentsOfFile: packageRoot + "/packaging/logrotate/tractfs", encoding: .utf8)
                    .replacing("/var/log/tractfs/", with: directory + "/")
                    .write(toFile: directory + "/configuration", atomically: false, encoding: .utf8)
                try withMount(
                    uri: "s3://\(server.bucket)", options: ["--endpoint-url", server.endpointURL, "--log-file", log],
                    environment: environmentWithKeys
                ) { _ in
                    try runChecked(
                        Self.programs[0], ["--force", "--state", directory + "/state", directory + "/configuration"])
                    try eventually("the new log file") { FileManager.default.fileExists(atPath: log) }
                }
                #expect(try String(contentsOfFile: log, encoding: .utf8).contains("ended"))
                let old = try String(contentsOfFile: log + ".1", encoding: .utf8)
                #expect(old.contains("mounted s3://") && !old.contains("ended"))
            }
        }
    }

    @Test func `is none: then SIGHUP is nothing to a mount in the background`() throws {
        try withS3TestServer { server in
            server.put("file", .text("read me"))
            try withMount(of: server, options: ["--no-cache"]) { mountPoint in
                let mount = try #require(MountProcesses(of: mountPoint))
                kill(mount.supervisor, SIGHUP)
                kill(mount.server, SIGHUP)
                #expect(try runChecked("cat", [mountPoint + "/file"]) == "read me")
                #expect(MountProcesses(of: mountPoint)?.server == mount.server)
            }
        }
    }
}

import Foundation
import MountControl
import ObjectStore
import TestSupport
import Testing

@testable import tractfs

/// The report of a mount, compared with the reads.
@Suite(mounts) struct ReportTests {
    /// The output of report_page.py for a page without faults.
    private struct Page: Decodable {
        let text: String
        let names: [String]
        let headings: [String]
        let charts: Int
        let maps: Int
    }

    private func report(_ arguments: String..., directory: String? = nil) throws -> CommandResult {
        try run(tractfsExecutable(), ["report"] + arguments, directory: directory, timeout: .seconds(60))
    }

    private func data(of mountPoint: String) throws -> MountReport {
        let result = try report(mountPoint, "--json")
        try #require(result.status == 0, "\(result.errorOutput)")
        return try #require(MountReport(parsing: result.output))
    }

    private func page(of mountPoint: String) throws -> Page {
        try withTemporaryDirectory { directory in
            let file = directory + "/report.html"
            try runChecked(tractfsExecutable(), ["report", mountPoint, "-o", file])
            let script = packageRoot + "/Tests/MountTests/report_page.py"
            let json = try runChecked(pythonExecutable(), [script, file])
            return try JSONDecoder().decode(Page.self, from: Data(json.utf8))
        }
    }

    /// Reads without the kernel's cache and readahead, so that the mount gets exactly these reads.
    private func readDirectly(_ path: String, mebibytes: Range<Int>) throws {
        try runChecked(
            "dd",
            [
                "if=\(path)", "of=/dev/null", "bs=1M", "skip=\(mebibytes.lowerBound)", "count=\(mebibytes.count)",
                "iflag=direct", "status=none",
            ])
    }

    // MARK: Numbers

    @Test func `tractfs report agrees with the reads, part for part, and with the status`() throws {
        try withS3TestServer { server in
            server.put("study/sub-1/large", .pattern(seed: 1, byteCount: 16 << 20))
            server.put("study/sub-1/small", .pattern(seed: 2, byteCount: 150_000))
            server.put("study/sub-2/deep/er/f", .pattern(seed: 3, byteCount: 70_000))
            server.put("study/top", .text("x"))
            let options = ["--endpoint-url", server.endpointURL, "--no-cache"]
            try withMount(
                uri: "s3://\(server.bucket)/study", options: options, environment: environmentWithKeys
            ) { mountPoint in
                try readDirectly(mountPoint + "/sub-1/large", mebibytes: 3..<5)
                try readDirectly(mountPoint + "/sub-1/large", mebibytes: 3..<4)
                for path in ["sub-1/small", "sub-2/deep/er/f", "top"] {
                    try readDirectly("\(mountPoint)/\(path)", mebibytes: 0..<1)
                }
                let data = try data(of: mountPoint)
                let files = data.access.files.reduce(into: [:]) { $0[$1.path] = $1 }
                #expect(Set(files.keys) == ["sub-1/large", "sub-1/small", "sub-2/deep/er/f", "top"])
                let large = try #require(files["sub-1/large"])
                #expect(large.size == 16 << 20 && large.opens == 2 && large.readBytes == 3 << 20)
                // A sixty-fourth of 16 MiB is 256 KiB.
                let once = 1 << 18
                #expect(large.partBytes == (0..<64).map { 12..<16 ~= $0 ? 2 * once : 16..<20 ~= $0 ? once : 0 })
                #expect(files["sub-1/small"]?.readBytes == 150_000 && files["sub-1/small"]?.partBytes == nil)
                try compareFolders(data.access)
                try compareStatus(data, mountPoint)
                let page = try page(of: mountPoint)
                #expect(page.text.contains("programs read 3.2 MiB of 4 files, 3") && page.maps == 1)
                #expect(page.charts == 9, "all but that of errors: \(page.headings)")
            }
        }
    }

    private func compareFolders(_ access: MountReport.Access) throws {
        let folders = access.folders.reduce(into: [:]) { $0[$1.path] = $1.readBytes }
        #expect(folders == ["sub-1/": (3 << 20) + 150_000, "sub-2/deep/er/": 70_000, "": 1])
        let topFolders = access.topFolders.reduce(into: [:]) { $0[$1.path] = $1.readBytes }
        #expect(topFolders == ["sub-1/": (3 << 20) + 150_000, "sub-2/": 70_000, "": 1])
        #expect(access.folders.first?.path == "sub-1/" && access.files.first?.path == "sub-1/large")
    }

    private func compareStatus(_ data: MountReport, _ mountPoint: String) throws {
        let status = try #require(
            MountStatus(parsing: runChecked(tractfsExecutable(), ["status", mountPoint, "--json"])))
        #expect(data.access.files.reduce(0) { $0 + $1.readBytes } == status.reads.byteCount)
        #expect(data.access.files.reduce(0) { $0 + $1.reads } == status.reads.reads)
        #expect(data.status.reads.byteCount == status.reads.byteCount && data.status.generation == 1)
        let history = data.history
        #expect(history[.reads].last == status.reads.reads && history[.s3Bytes].last == status.reads.s3Bytes)
        #expect(history[.memoryCacheBytes].last == status.reads.memoryCacheBytes && history[.opens].last == 5)
        #expect(
            history[.getSent].last == status.requests.get.sent && history[.listSent].last == status.requests.list.sent)
        #expect(history[.getReceivedBytes].last == status.requests.get.receivedBytes)
        let latencies = history.getFirstByteCounts.reduce(0) { $0 + ($1.last ?? 0) }
        #expect(latencies == status.requests.get.timeToFirstByte.count)
        #expect(zip(history.seconds, history.seconds.dropFirst()).allSatisfy { $0 <= $1 })
    }

    @Test(.enabled(if: passthroughAvailable, "needs root, Linux 6.9 or later, and no overlayfs"))
    func `tractfs report counts opens of files that the kernel reads itself, and marks them`() throws {
        try withS3TestServer { server in
            server.put("d/small", .pattern(seed: 1, byteCount: 100_000))
            try withTemporaryDirectory { cache in
                try withMount(of: server, options: ["--cache-dir", cache]) { mountPoint in
                    for _ in 0..<3 { try runChecked("cat", [mountPoint + "/d/small"]) }
                    let data = try data(of: mountPoint)
                    let file = try #require(data.access.files.first)
                    #expect(file.opens == 3 && file.passthroughOpens == 3 && file.reads == 0 && file.readBytes == 0)
                    #expect(data.status.passthrough.opens == 3 && data.history[.passthroughOpens].last == 3)
                    let page = try page(of: mountPoint)
                    #expect(page.text.contains("3 opens were answered with a file of the disk cache"))
                    #expect(page.text.contains("not known"))
                }
            }
        }
    }

    @Test func `tractfs report counts failed reads and the errors of requests`() throws {
        try withS3TestServer { server in
            server.put("f", .pattern(seed: 1, byteCount: 3 << 20))
            try withMount(of: server, options: ["--no-cache"]) { mountPoint in
                server.script(.gets, .refuse(.internalError), count: 1)
                try readDirectly(mountPoint + "/f", mebibytes: 0..<1)
                server.script(.gets, .refuse(.accessDenied))
                #expect(
                    try run("dd", ["if=\(mountPoint)/f", "of=/dev/null", "bs=1M", "skip=2", "iflag=direct"]).status == 1
                )
                let data = try data(of: mountPoint)
                let file = try #require(data.access.files.first)
                #expect(file.failedReads > 0 && file.failedReads == data.status.reads.failed)
                #expect(file.readBytes == 1 << 20)
                #expect(try #require(data.history[.getErrors].last) >= 2)
                let text = try page(of: mountPoint).text
                #expect(text.contains("met an error") && text.contains("error: server_fault"))
            }
        }
    }

    @Test func `tractfs report of a mount without reads is a page too`() throws {
        try withS3TestServer { server in
            try withMount(of: server) { mountPoint in
                let page = try page(of: mountPoint)
                #expect(page.text.contains("nothing was read through tractfs") && page.maps == 0)
                #expect(page.text.contains("No file was opened yet") && page.headings.contains("For a bug report"))
            }
        }
    }

    @Test(takeoverAvailable) func `tractfs report begins again with the next serving process, and says so`() throws {
        try withS3TestServer { server in
            server.put("file", .text("x"))
            try withMount(of: server, options: ["--no-cache"]) { mountPoint in
                try runChecked("cat", [mountPoint + "/file"])
                #expect(try page(of: mountPoint).text.contains("the first process that serves the mount"))
                kill(Int32(try data(of: mountPoint).status.serverPid), SIGKILL)
                let data = try data(of: mountPoint)
                #expect(data.status.generation == 2 && data.access.files.isEmpty && data.history[.opens].last == 0)
                #expect(try page(of: mountPoint).text.contains("process number 2"))
            }
        }
    }

    // MARK: Names

    private static let names: [(key: Key, shown: String)] = [
        ("<script>alert(1)<", "<script>alert(1)<"), ("\"quotes' & &amp;", "\"quotes' & &amp;"),
        ("right to left\u{202E}gpj", "right to left\\u{202E}gpj"), ("escape\u{1B}[31m", "escape\\u{1B}[31m"),
        ("line\nbreak", "line\\nbreak"),
        (Key(String(repeating: "W", count: 250)), String(repeating: "W", count: 250)), ("שלום é 脳", "שלום é 脳"),
    ]

    @Test func `tractfs report shows every name as text, whatever characters it has`() throws {
        try withOddNames { mountPoint in
            let page = try page(of: mountPoint)
            for (_, shown) in Self.names { #expect(page.names.contains(shown), "\(shown)") }
        }
    }

    /// A mount with names of which some look like HTML, all files read once.
    private func withOddNames(_ body: (String) throws -> Void) throws {
        try withS3TestServer { server in
            for (index, name) in Self.names.enumerated() {
                // Large ones too, so that they have a map of their parts.
                server.put(name.key, .pattern(seed: UInt64(index), byteCount: index < 3 ? 9 << 20 : 1_000))
            }
            try withMount(of: server, options: ["--no-cache"]) { mountPoint in
                try runChecked("bash", ["-c", "find \"$0\" -type f -print0 | xargs -0 cat | wc -c", mountPoint])
                try body(mountPoint)
            }
        }
    }

    // MARK: A real browser

    private static let chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    /// Opens a page.
    private func browse(_ file: String, _ options: [String], in directory: String) throws -> CommandResult {
        try run(
            try #require(Self.chromium),
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-logging=stderr",
                "--hide-scrollbars",
                "--user-data-dir=\(directory)/profile", "--allow-file-access-from-files",
            ] + options + ["file://\(file)"])
    }

    @Test(.enabled(if: chromium != nil, "needs Chromium: scripts/setup --browser"))
    func `The page of tractfs report opens in a browser without an error, and fits the window`() throws {
        try withOddNames { mountPoint in
            try withTemporaryDirectory { directory in
                let file = directory + "/report.html"
                try runChecked(tractfsExecutable(), ["report", mountPoint, "-o", file])
                let picture = directory + "/report.png"
                let shown = try browse(file, ["--screenshot=\(picture)", "--window-size=1200,4000"], in: directory)
                #expect(shown.status == 0 && !shown.errorOutput.contains("CONSOLE"), "\(shown.errorOutput)")
                let size = try #require(FileManager.default.attributesOfItem(atPath: picture)[.size] as? Int)
                #expect(size > 50_000)
                for width in [360, 800, 1_200, 2_000] {
                    // A page around it measures it.
                    let frame = """
                        <iframe src="report.html" style="width:\(width)px;height:3000px;border:0" onload="
                          const page = this.contentDocument; document.title =
                          'width ' + page.documentElement.scrollWidth + ' text ' + page.body.innerText.length"></iframe>
                        """
                    try frame.write(toFile: directory + "/frame.html", atomically: false, encoding: .utf8)
                    let result = try browse(directory + "/frame.html", ["--dump-dom"], in: directory)
                    let title = result.output.firstMatch(of: /<title>width (\d+) text (\d+)/)
                    let measured = try #require(title, "\(result.output.prefix(500)) \(result.errorOutput)")
                    #expect(Int(measured.1) == width && (Int(measured.2) ?? 0) > 1_000)
                    #expect(!result.errorOutput.contains("CONSOLE"), "\(result.errorOutput)")
                }
            }
        }
    }

    // MARK: How it is called

    @Test func `tractfs report writes a file by default, and to standard output on request`() throws {
        try withS3TestServer { server in
            try withMount(of: server) { mountPoint in
                try withTemporaryDirectory { directory in
                    let result = try report(mountPoint, directory: directory)
                    #expect(result.status == 0 && result.output.hasPrefix("wrote tractfs-report.html ("))
                    #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["tractfs-report.html"])
                    let page = try report(mountPoint, "-o", "-")
                    #expect(page.output.hasPrefix("<!DOCTYPE html>") && page.output.hasSuffix("</html>\n"))
                    let json = try report(mountPoint, "--json", "-o", "data.json", directory: directory)
                    #expect(json.status == 0 && json.output == "")
                    let data = try #require(FileManager.default.contents(atPath: directory + "/data.json"))
                    let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
                    #expect(object["mount_point"] as? String == mountPoint)
                    let failed = try report(mountPoint, "-o", "/no/such/file")
                    #expect(failed.status == 1 && failed.errorOutput.contains("can't write /no/such/file"))
                    // A folder can't be replaced by a file, and nothing is left beside it.
                    let folder = directory + "/folder"
                    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
                    #expect(try report(mountPoint, "-o", folder).status == 1)
                    #expect(try FileManager.default.contentsOfDirectory(atPath: directory).count == 3)
                }
            }
        }
    }

    @Test func `tractfs report writes to a pipe or a device, and does not replace it by a file`() throws {
        try withS3TestServer { server in
            try withMount(of: server) { mountPoint in
                try withTemporaryDirectory { directory in
                    let script =
                        "mkfifo pipe && { cat pipe > got & } && \"$0\" report \"$1\" -o pipe && wait && test -p pipe"
                    let result = try run(
                        "bash", ["-c", script, try tractfsExecutable(), mountPoint], directory: directory)
                    #expect(result.status == 0 && result.errorOutput == "", "\(result.errorOutput)")
                    let got = FileManager.default.contents(atPath: directory + "/got") ?? Data()
                    #expect(String(decoding: got, as: UTF8.self).hasSuffix("</html>\n"))
                }
            }
        }
    }

    @Test func `tractfs report says that a mount does not answer`() throws {
        try withS3TestServer { server in
            try withMount(of: server) { mountPoint in
                let processes = try #require(MountProcesses(of: mountPoint))
                for process in [processes.supervisor, processes.server] { kill(process, SIGSTOP) }
                defer { for process in [processes.server, processes.supervisor] { kill(process, SIGCONT) } }
                let result = try report(mountPoint, "-o", "-")
                #expect(result.status == 1 && result.output == "" && result.errorOutput.contains("doesn't answer"))
            }
        }
    }

    @Test(
        "tractfs report says what is wrong with its arguments",
        arguments: [
            (["/"], "is not in a tractfs mount"), (["/no/such"], "/no/such can't be found"), ([""], "give the folder"),
            ([], "Missing expected argument"), (["/", "-o", ""], "needs the path of a file"),
            (["/", "-o"], "Missing value"),
            (["/", "--html"], "Unknown option"),
        ])
    func usage(arguments: [String], message: String) throws {
        let result = try run(tractfsExecutable(), ["report"] + arguments)
        #expect(result.status != 0 && result.output == "")
        #expect(result.errorOutput.contains(message), "\(result.errorOutput)")
        #expect(result.errorOutput.split(separator: "\n").count == 1)
    }
}

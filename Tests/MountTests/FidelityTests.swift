import TestSupport
import Testing

/// Ordinary tools see exactly the tree that was uploaded to a real server's bucket.
@Suite(.serialized, mounts) struct FidelityTests {
    /// A script of bash that compares the mount `$MOUNT` with the local copy `$COPY`, and may write below `$SCRATCH`.
    /// Prints what differs, and nothing else.
    private struct Comparison {
        let name: String
        let script: String

        init(_ name: String, _ script: String) {
            self.name = name
            self.script = script
        }
    }

    private static let compareTrees = packageRoot + "/Tests/MountTests/compare_trees.py"

    private static let comparisons = [
        Comparison("diff -r", #"diff -r "$MOUNT" "$COPY""#),
        Comparison(
            "find -ls",
            // Type, size, time and name, whatever the columns' widths; folders have no size and time of their own in
            // S3.
            #"""
            list() { (cd "$1"; find . -type f -ls | sed -E 's/ +/ /g; s/^( ?[^ ]+){2} (.)[^ ]+( [^ ]+){3}/\2/' | sort; find . -type d | sort); }
            diff <(list "$MOUNT") <(list "$COPY")
            """#),
        Comparison("boto3's listing", #""$PYTHON" "$COMPARE_TREES" listing "$MOUNT" "$COPY" "$BUCKET""#),
        Comparison("os.walk", #""$PYTHON" "$COMPARE_TREES" walk "$MOUNT" "$COPY""#),
        Comparison("mmap", #""$PYTHON" "$COMPARE_TREES" mmap "$MOUNT" "$COPY""#),
        Comparison(
            "tar", #"tar -C "$MOUNT" --mode=u+w -c . | tar -C "$SCRATCH" -x && diff -r "$SCRATCH" "$COPY""#),
        Comparison("rsync -c", #"rsync -rnci --delete "$MOUNT/" "$COPY/""#),
        Comparison("rsync -t", #"rsync -rtniO --delete "$MOUNT/" "$COPY/""#),
        Comparison(
            "cp -a", #"cp -a "$MOUNT" "$SCRATCH/copy"; chmod -R u+w "$SCRATCH/copy"; diff -r "$SCRATCH/copy" "$COPY""#),
        Comparison(
            "sha256sum",
            #"""
            sums() { (cd "$1"; find . -type f -print0 | sort -z | xargs -0 sha256sum); }
            diff <(sums "$MOUNT") <(sums "$COPY")
            """#),
        Comparison(
            "dd",
            #"""
            for blocks in '1 0 1000' '7 13 40000' '511 8388600 100000' '4097 8388607 3000000' '131073 1 20000000' \
                '1000003 52428799 9000000' '8388609 104857000 1000000'; do
                read -r size skip count <<< "$blocks"
                block() { dd if="$1/size 104857600" bs=$size skip=$skip count=$count iflag=skip_bytes,count_bytes status=none; }
                cmp <(block "$MOUNT") <(block "$COPY")
            done
            """#),
        Comparison(
            "16 readers of different files",
            #"""
            cd "$COPY"
            find . -type f -print0 | xargs -0 -P 16 -n 40 bash -c 'for path; do cmp "$MOUNT/$path" "$path"; done' bash
            """#),
        Comparison(
            "16 readers of one file",
            #"seq 16 | xargs -P 16 -I{} cmp "$MOUNT/size 104857600" "$COPY/size 104857600""#),
    ]

    @Test func `Every tool finds on a mount of JuiceFS the tree that was uploaded`() throws {
        try withTemporaryDirectory { copy in
            try runChecked(pythonExecutable(), [packageRoot + "/Tests/MountTests/fidelity_tree.py", copy])
            try withJuiceFSGateway { server in
                try server.upload(directory: copy, bucket: "tract-test")
                // Each tool has a mount of its own, so that none reads what another has cached.
                for comparison in Self.comparisons {
                    try expectNoDifference(comparison, server: server, copy: copy)
                }
            }
        }
    }

    @Test func `Names and contents are the same on a mount of moto`() throws {
        try withTemporaryDirectory { copy in
            let names = [
                "a b", "a+b", "a%20b", "a#b", "a&b", "a'b", "a\"b", "[a],b", "caf\u{e9}", "cafe\u{301}", "x/y/z",
            ]
            for name in names {
                let script = #"mkdir -p "$(dirname "$0")" && head -c 9000 /dev/urandom > "$0""#
                try runChecked("bash", ["-c", script, copy + "/" + name])
            }
            try withMoto { server in
                try server.upload(directory: copy, bucket: "tract-test")
                for comparison in Self.comparisons where ["diff -r", "find -ls", "rsync -t"].contains(comparison.name) {
                    try expectNoDifference(comparison, server: server, copy: copy)
                }
            }
        }
    }

    private func expectNoDifference(_ comparison: Comparison, server: RealServer, copy: String) throws {
        try withTemporaryDirectory { scratch in
            try withMount(uri: "s3://tract-test", environment: server.environment) { mountPoint in
                let variables = [
                    "MOUNT": mountPoint, "COPY": copy, "SCRATCH": scratch, "BUCKET": "tract-test",
                    "PYTHON": pythonExecutable(), "COMPARE_TREES": Self.compareTrees, "LC_ALL": "C.UTF-8",
                ]
                let result = try run(
                    "bash", ["-o", "pipefail", "-c", comparison.script],
                    environment: server.environment.merging(variables) { $1 }, timeout: .seconds(300))
                #expect(
                    result.status == 0 && result.output.isEmpty && result.errorOutput.isEmpty,
                    "\(comparison.name): \(result.output.prefix(2_000))\(result.errorOutput.prefix(2_000))")
            }
        }
    }
}

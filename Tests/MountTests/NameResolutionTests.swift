import Foundation
import ObjectStore
import TestSupport
import Testing

/// Mounts in a network whose name servers are the test's.
@Suite(
    .serialized, mounts,
    .enabled(if: NetworkLine.isAvailable, Comment(rawValue: NetworkLine.missing)))
struct NameResolutionTests {
    /// A name server, by the address that it listens on and those that it answers with.
    struct NameServer {
        let listens: String
        let answers: [String]

        static let dead = NameServer(listens: "127.0.0.2", answers: ["silent"])
        static let good = NameServer(listens: "127.0.0.3", answers: [NetworkLine.serverAddress])
    }

    /// Runs a script in a mount namespace in which these name servers are asked, in this order. `$URL` is the store by
    /// its name, `$MOUNT` an empty folder, `$LOG` the mount's log, `mount_it` mounts, `$PID1` and so on are the name
    /// servers.
    private func run(
        _ script: String, with nameServers: [NameServer], hosts: String = "",
        _ fill: (S3TestServer) throws -> Void = { _ in }
    ) throws -> (result: CommandResult, queryCounts: [Int]) {
        try withNetworkLine { line in
            try withS3TestServer(line: line) { server in
                server.put("README", .text("found"))
                try fill(server)
                return try withTemporaryDirectory { directory in
                    try FileManager.default.createDirectory(
                        atPath: directory + "/mount", withIntermediateDirectories: false)
                    try nameServers.map { "nameserver \($0.listens)\n" }.joined().write(
                        toFile: directory + "/resolv.conf", atomically: false, encoding: .utf8)
                    try "127.0.0.1 localhost\n\(hosts)\n".write(
                        toFile: directory + "/hosts", atomically: false, encoding: .utf8)
                    let starts = nameServers.enumerated().map { index, nameServer in
                        let log = "\(directory)/queries\(index)"
                        return """
                            python3 \(packageRoot)/Tests/MountTests/name_server.py \(nameServer.listens) \(log) \
                            \(nameServer.answers.joined(separator: " ")) &
                            PID\(index)=$!
                            until [ -e \(log) ]; do sleep 0.05; done
                            """
                    }
                    let prologue = """
                        set -e
                        ip link set lo up
                        mount --bind \(directory)/resolv.conf /etc/resolv.conf
                        mount --bind \(directory)/hosts /etc/hosts
                        \(starts.joined(separator: "\n"))
                        PIDS=$(jobs -p)
                        trap '{ kill $PIDS; umount --lazy $MOUNT; } 2> /dev/null || true' EXIT
                        URL=http://store.test:\(server.port) MOUNT=\(directory)/mount LOG=\(directory)/log
                        mount_it() {
                            "$0" mount s3://\(server.bucket) $MOUNT --no-cache --endpoint-url $URL --log-file $LOG "$@"
                        }
                        """
                    let command = line.clientLauncher + inMountNamespace("\(prologue)\n\(script)")
                    let result = try TestSupport.run(
                        command[0], Array(command.dropFirst()) + [tractfsExecutable()],
                        environment: environmentWithKeys)
                    let counts = nameServers.indices.map { index in
                        let log = FileManager.default.contents(atPath: "\(directory)/queries\(index)") ?? Data()
                        return log.count { $0 == UInt8(ascii: "\n") }
                    }
                    return (result, counts)
                }
            }
        }
    }

    private static let readAndUnmount = "mount_it; cat $MOUNT/README; \"$0\" unmount $MOUNT"

    @Test func `A mount works though the first name server is dead`() throws {
        let (result, counts) = try run(Self.readAndUnmount, with: [.dead, .good])
        #expect(result.status == 0 && result.output == "found", "\(result)")
        #expect(counts[0] > 0 && counts[1] > 0)
    }

    @Test func `A name in /etc/hosts needs no name server`() throws {
        let (result, counts) = try run(
            Self.readAndUnmount, with: [.good], hosts: "\(NetworkLine.serverAddress) store.test")
        #expect(result.status == 0 && result.output == "found", "\(result)")
        #expect(counts == [0])
    }

    @Test func `The name of the store is looked up once, whatever is read`() throws {
        let script = """
            mount_it
            md5sum $MOUNT/d*/f > /dev/null
            "$0" unmount $MOUNT
            """
        let (result, counts) = try run(script, with: [.good]) { server in
            for index in 0..<20 { server.put(Key("d\(index)/f"), .pattern(seed: UInt64(index), byteCount: 1 << 20)) }
        }
        #expect(result.status == 0, "\(result)")
        // For IPv4 and IPv6.
        #expect(counts[0] <= 2)
    }

    @Test func `The addresses of the store are used after the name server is gone`() throws {
        let script = """
            mount_it
            kill $PID0; wait $PID0 || true
            cat $MOUNT/README
            md5sum $MOUNT/large > /dev/null
            "$0" unmount $MOUNT
            """
        let (result, _) = try run(script, with: [.good]) { server in
            server.put("large", .pattern(seed: 1, byteCount: 32 << 20))
        }
        #expect(result.status == 0 && result.output == "found", "\(result)")
    }

    @Test func `A dead address of several is passed over`() throws {
        let (result, _) = try run(
            Self.readAndUnmount,
            with: [NameServer(listens: "127.0.0.3", answers: ["127.0.0.77", NetworkLine.serverAddress])])
        #expect(result.status == 0 && result.output == "found", "\(result)")
    }

    @Test(
        arguments: [
            ([NameServer(listens: "127.0.0.3", answers: [])], "there is no host store.test"),
            ([NameServer.dead], "no name server answers for store.test"),
        ])
    func `A mount fails with the reason for which there is no address`(servers: [NameServer], reason: String) throws {
        let (result, _) = try run("mount_it", with: servers)
        #expect(result.status == 1 && result.errorOutput.contains(reason), "\(result)")
        #expect(result.errorOutput.contains("can't find the address of http://store.test"))
    }
}

internal import CLinux
import Foundation
import Synchronization

/// A Boolean value that is `true` if this machine allows network namespaces.
public let networkNamespacesAvailable =
    geteuid() == 0 && (try? run("unshare", ["--net", "ip", "link", "set", "lo", "up"]))?.status == 0

/// Calls `body` on a thread in a network namespace of its own, which has nothing but a loopback interface with these
/// addresses, and is gone afterwards. Threads and processes that `body` starts are in it too.
public func withNetworkNamespace(addresses: [String], _ body: @escaping @Sendable () throws -> Void) throws {
    let threads = TestThreads(1) { _ in
        let outside = try namespace()
        guard tractfs_leave_network() == 0 else { throw CommandFailure(description: "unshare: errno \(errno)") }
        // The addresses must not come to the machine's own interface, whatever Foundation starts processes from.
        guard try namespace() != outside else {
            throw CommandFailure(description: "processes aren't started in the new network namespace")
        }
        try runChecked("ip", ["link", "set", "lo", "up"])
        for address in addresses { try runChecked("ip", ["address", "add", address + "/32", "dev", "lo"]) }
        try body()
    }
    try threads.wait()
}

/// The network namespace that processes are started in.
private func namespace() throws -> String {
    try runChecked("readlink", ["/proc/self/ns/net"])
}

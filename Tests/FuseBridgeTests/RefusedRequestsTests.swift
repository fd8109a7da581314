import Glibc
import Testing

@testable import FuseBridge

@Suite("A mount without a server") struct RefusedRequestsTests {
    /// The header of a request: length, opcode, unique, and fields that are not used.
    private func request(opcode: UInt32, unique: UInt32) -> [UInt32] {
        [40, opcode, unique, 0] + Array(repeating: 0, count: 6)
    }

    @Test func `a mount without a server replies EIO to all requests with a reply`() throws {
        // A socket with whole messages, like /dev/fuse.
        var sockets: [CInt] = [0, 0]
        try #require(socketpair(AF_UNIX, CInt(SOCK_SEQPACKET.rawValue), 0, &sockets) == 0)
        defer { for socket in sockets { close(socket) } }
        let requests = [(2, 1), (27, 2), (36, 3), (1, 4), (42, 5)].map { request(opcode: $0.0, unique: $0.1) }
        for words in requests { try #require(write(sockets[0], words, 40) == 40) }
        // A truncated request is ignored.
        try #require(write(sockets[0], requests[0], 4) == 4)
        var roundCount = 0
        FuseDevice(descriptor: sockets[1]).refuseRequests {
            roundCount += 1
            return roundCount <= requests.count + 2
        }
        var replies: [[UInt32]] = []
        var words: [UInt32] = [0, 0, 0, 0]
        while recv(sockets[0], &words, 16, CInt(MSG_DONTWAIT)) == 16 { replies.append(words) }
        let error = UInt32(bitPattern: -EIO)
        #expect(replies == [[16, error, 2, 0], [16, error, 4, 0]])
    }
}

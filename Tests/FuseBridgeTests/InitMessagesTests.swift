import CFuse
import FileSystem
import Glibc
import StateLog
import Testing

@testable import FuseBridge

/// Little-endian bytes, as on all supported machines.
private func bytes(_ words: [UInt32]) -> [UInt8] {
    words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
}

/// The header of FUSE_INIT: length, opcode, unique, nodeid, and fields that are not used.
private func request(opcode: UInt32 = 26, unique: UInt32 = 2, body: [UInt32]) -> [UInt8] {
    bytes([UInt32(40 + 4 * body.count), opcode, unique, 0, 1, 0, 0, 0, 0, 0] + body)
}

private let extended: UInt32 = 1 << 30
private let passthrough: UInt32 = 1 << 5
private let resend: UInt32 = 1 << 7

@Suite("FUSE_INIT") struct InitMessagesTests {
    @Test(
        "a request's offer is read off its flags",
        arguments: [
            (request(body: [7, 45, 4096, extended, passthrough]), InitAgreement.passthrough),
            (
                request(body: [7, 45, 4096, extended | 3, passthrough | 1] + Array(repeating: 0, count: 11)),
                InitAgreement.passthrough
            ),
            (request(body: [7, 45, 4096, extended, passthrough | resend]), InitAgreement.all),
            (request(body: [7, 36, 4096, extended, ~passthrough]), InitAgreement.resend),
            (request(body: [7, 31, 4096, ~extended, passthrough]), InitAgreement()),
            (request(body: [7, 31, 4096, ~0]), InitAgreement()),
        ])
    func offer(request: [UInt8], offer: InitAgreement) throws {
        let parsed = try #require(request.withUnsafeBytes { InitRequest($0) })
        #expect(parsed.unique == 2)
        #expect(parsed.offer == offer)
    }

    @Test(
        "other requests, and what is too short to be one, are none",
        arguments: [
            [], request(opcode: 14, body: [7, 45, 4096, extended, passthrough]), request(body: [7, 45, 4096]),
            Array(request(body: []).prefix(7)),
        ])
    func noInit(request: [UInt8]) {
        #expect(request.withUnsafeBytes { InitRequest($0) } == nil)
    }

    /// Sends a request and its reply through a channel.
    private func exchange(
        wanted: InitAgreement = .passthrough, offer: UInt32 = passthrough, header: [UInt32] = [80, 0, 2, 0],
        body: [UInt32]
    ) -> (disposition: DeviceChannel.Disposition, reply: [UInt8]) {
        let channel = DeviceChannel(wanted: wanted)
        request(body: [7, 45, 4096, extended, offer]).withUnsafeBytes { channel.noteRequest($0) }
        return send(header: header, body: body, through: channel)
    }

    private func send(
        header: [UInt32], body: [UInt32], through channel: DeviceChannel
    ) -> (disposition: DeviceChannel.Disposition, reply: [UInt8]) {
        var header = bytes(header)
        var body = bytes(body)
        let disposition = header.withUnsafeMutableBytes { header in
            body.withUnsafeMutableBytes { body in
                let vectors = [
                    iovec(iov_base: header.baseAddress, iov_len: header.count),
                    iovec(iov_base: body.baseAddress, iov_len: body.count),
                ]
                return vectors.withUnsafeBufferPointer { channel.pass($0) }
            }
        }
        return (disposition, body)
    }

    private let body: [UInt32] = [7, 38, 4096, 0x11, 64, 1 << 20, 1, 256, 0, 0, 0, 0, 0, 0, 0, 0]

    @Test func `the reply to FUSE_INIT accepts passthrough, and is otherwise unchanged`() {
        var flags = body
        flags[8] = 0x40
        flags[9] = 0
        let (disposition, reply) = exchange(body: flags)
        #expect(disposition == .initReply(.passthrough, isSent: true))
        flags[3] |= extended
        flags[8] |= passthrough
        flags[9] = 1
        #expect(reply == bytes(flags))
    }

    @Test func `FUSE_INIT flags are accepted only if they are offered and wanted`() {
        for (disposition, reply) in [exchange(wanted: [], body: body), exchange(offer: ~passthrough, body: body)] {
            #expect(disposition == .sent)
            #expect(reply == bytes(body))
        }
    }

    @Test(
        "a reply that is an error, cut off, or that of another request, is unchanged",
        arguments: [[80, UInt32(bitPattern: -71), 2, 0], [80, 0, 4, 0], [80, 0, 2, 1], [80, 0, 2], []] as [[UInt32]])
    func otherHeader(header: [UInt32]) {
        let (disposition, reply) = exchange(header: header, body: body)
        #expect(disposition == .sent)
        #expect(reply == bytes(body))
    }

    @Test("a reply to FUSE_INIT without room for the flags is unchanged", arguments: [0, 6, 9])
    func shortBody(wordCount: Int) {
        let short = Array(body.prefix(wordCount))
        let (disposition, reply) = exchange(body: short)
        #expect(disposition == .initReply([], isSent: true))
        #expect(reply == bytes(short))
    }

    @Test func `only one reply to FUSE_INIT is completed, and no header without a body`() {
        let channel = DeviceChannel(wanted: .passthrough)
        request(body: [7, 45, 4096, extended, passthrough]).withUnsafeBytes { channel.noteRequest($0) }
        #expect(channel.willAskForPassthrough)
        var header = bytes([16, 0, 2, 0])
        header.withUnsafeMutableBytes { header in
            let vectors = [iovec(iov_base: header.baseAddress, iov_len: header.count)]
            #expect(vectors.withUnsafeBufferPointer { channel.pass($0) } == .sent)
        }
        #expect(
            send(header: [80, 0, 2, 0], body: body, through: channel).disposition
                == .initReply(.passthrough, isSent: true))
        #expect(!channel.willAskForPassthrough)
        #expect(send(header: [80, 0, 2, 0], body: body, through: channel).disposition == .sent)
    }

    @Test func `a successor replays FUSE_INIT once, and its reply is not sent`() throws {
        let page = try SupervisorSharedState()
        let first = DeviceChannel(wanted: .all, page: page)
        let initRequest = request(body: [7, 45, 4096, extended, passthrough | resend])
        var buffer = [UInt8](repeating: 0, count: 4_096)
        #expect(buffer.withUnsafeMutableBytes { first.replay(to: $0) } == 0)
        initRequest.withUnsafeBytes { first.noteRequest($0) }
        #expect(
            send(header: [80, 0, 2, 0], body: body, through: first).disposition == .initReply(.all, isSent: true))
        #expect(page.canBeTakenOver)

        // A successor that wants more flags does not get them, and fewer do not change the kernel's.
        let successor = DeviceChannel(wanted: .passthrough, page: page, isSuccessor: true)
        #expect(buffer.withUnsafeMutableBytes { successor.replay(to: $0) } == initRequest.count)
        #expect(Array(buffer.prefix(initRequest.count)) == initRequest)
        #expect(buffer.withUnsafeMutableBytes { successor.replay(to: $0) } == 0)
        initRequest.withUnsafeBytes { successor.noteRequest($0) }
        #expect(
            send(header: [80, 0, 2, 0], body: body, through: successor).disposition
                == .initReply(.passthrough, isSent: false))
        #expect(page.canBeTakenOver)
    }

    @Test func `only requests with a reply are counted`() throws {
        let page = try SupervisorSharedState()
        let channel = DeviceChannel(wanted: [], page: page)
        for (opcode, unique) in [(15, 4), (15, 6), (2, 8), (36, 7), (42, 10)] as [(UInt32, UInt32)] {
            request(opcode: opcode, unique: unique, body: []).withUnsafeBytes { channel.noteRequest($0) }
        }
        #expect(page.count == ConversationCount(taken: 5, answered: 0, owed: 2, received: 0))
        _ = send(header: [16, 0, 4, 0], body: [], through: channel)
        // The reply of libfuse to a late interrupt.
        _ = send(header: [16, 0, 7, 0], body: [], through: channel)
        #expect(page.count == ConversationCount(taken: 5, answered: 1, owed: 1, received: 0))
        channel.handOver()
        #expect(send(header: [16, 0, 6, 0], body: [], through: channel).disposition == .refused)
    }
}

@Suite("The reply to FUSE_OPEN") struct OpenReplyTests {
    @Test(
        "its flags and id say how the file is read",
        arguments: [
            (nil, false, [9, 0, 0b10_0010, 0]),
            (nil, true, [9, 0, 0b10_0010, 0]),
            (BackingID(rawValue: 3), false, [9, 0, 0b1010_0000, 3]),
            (BackingID(rawValue: 3), true, [9, 0, 0b1010_0001, 3]),
        ] as [(BackingID?, Bool, [UInt32])])
    func layout(backing: BackingID?, isDirect: Bool, words: [UInt32]) {
        let reply = tractfs_open_reply(Handle(rawValue: 9), backing: backing, isDirect: isDirect)
        #expect(withUnsafeBytes(of: reply) { Array($0) } == bytes(words))
    }
}

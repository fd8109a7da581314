import CFuse
import FileSystem
import Glibc
import StateLog
import Testing

@testable import FuseBridge

/// Little-endian bytes, as they are on all machines that we run on.
private func bytes(_ words: [UInt32]) -> [UInt8] {
    words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
}

/// FUSE_INIT's header: length, opcode, unique, nodeid, and more that isn't looked at.
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
    ) -> (passage: DeviceChannel.Passage, reply: [UInt8]) {
        let channel = DeviceChannel(wanted: wanted)
        request(body: [7, 45, 4096, extended, offer]).withUnsafeBytes { channel.noteRequest($0) }
        return send(header: header, body: body, through: channel)
    }

    private func send(
        header: [UInt32], body: [UInt32], through channel: DeviceChannel
    ) -> (passage: DeviceChannel.Passage, reply: [UInt8]) {
        var header = bytes(header)
        var body = bytes(body)
        let passage = header.withUnsafeMutableBytes { header in
            body.withUnsafeMutableBytes { body in
                let vectors = [
                    iovec(iov_base: header.baseAddress, iov_len: header.count),
                    iovec(iov_base: body.baseAddress, iov_len: body.count),
                ]
                return vectors.withUnsafeBufferPointer { channel.pass($0) }
            }
        }
        return (passage, body)
    }

    private let body: [UInt32] = [7, 38, 4096, 0x11, 64, 1 << 20, 1, 256, 0, 0, 0, 0, 0, 0, 0, 0]

    @Test func `the reply to an offer asks for passthrough, and is the same in all else`() {
        var flags = body
        flags[8] = 0x40
        flags[9] = 0
        let (passage, reply) = exchange(body: flags)
        #expect(passage == .opening(.passthrough, isSent: true))
        flags[3] |= extended
        flags[8] |= passthrough
        flags[9] = 1
        #expect(reply == bytes(flags))
    }

    @Test func `nothing is asked for unless the kernel offers it and we want it`() {
        for (passage, reply) in [exchange(wanted: [], body: body), exchange(offer: ~passthrough, body: body)] {
            #expect(passage == .sent)
            #expect(reply == bytes(body))
        }
    }

    @Test(
        "a reply that is an error, another request's, or cut off, is left alone",
        arguments: [[80, UInt32(bitPattern: -71), 2, 0], [80, 0, 4, 0], [80, 0, 2, 1], [80, 0, 2], []] as [[UInt32]])
    func otherHeader(header: [UInt32]) {
        let (passage, reply) = exchange(header: header, body: body)
        #expect(passage == .sent)
        #expect(reply == bytes(body))
    }

    @Test("a reply without room for the answer is left alone", arguments: [0, 6, 9])
    func shortBody(wordCount: Int) {
        let short = Array(body.prefix(wordCount))
        let (passage, reply) = exchange(body: short)
        #expect(passage == .opening([], isSent: true))
        #expect(reply == bytes(short))
    }

    @Test func `a header without a body is left alone, and only one reply is completed`() {
        let channel = DeviceChannel(wanted: .passthrough)
        request(body: [7, 45, 4096, extended, passthrough]).withUnsafeBytes { channel.noteRequest($0) }
        #expect(channel.willAskForPassthrough)
        var header = bytes([16, 0, 2, 0])
        header.withUnsafeMutableBytes { header in
            let vectors = [iovec(iov_base: header.baseAddress, iov_len: header.count)]
            #expect(vectors.withUnsafeBufferPointer { channel.pass($0) } == .sent)
        }
        #expect(
            send(header: [80, 0, 2, 0], body: body, through: channel).passage == .opening(.passthrough, isSent: true))
        #expect(!channel.willAskForPassthrough)
        #expect(send(header: [80, 0, 2, 0], body: body, through: channel).passage == .sent)
    }

    @Test func `a successor is handed the first server's request once, and its reply goes nowhere`() throws {
        let page = try SupervisorSharedState()
        let first = DeviceChannel(wanted: .all, page: page)
        let opening = request(body: [7, 45, 4096, extended, passthrough | resend])
        var buffer = [UInt8](repeating: 0, count: 4_096)
        #expect(buffer.withUnsafeMutableBytes { first.replay(to: $0) } == 0)
        opening.withUnsafeBytes { first.noteRequest($0) }
        #expect(
            send(header: [80, 0, 2, 0], body: body, through: first).passage == .opening(.all, isSent: true))
        #expect(page.canBeTakenOver)

        // One that wants more than was agreed on doesn't get it, and less isn't taken back from the kernel.
        let successor = DeviceChannel(wanted: .passthrough, page: page, isSuccessor: true)
        #expect(buffer.withUnsafeMutableBytes { successor.replay(to: $0) } == opening.count)
        #expect(Array(buffer.prefix(opening.count)) == opening)
        #expect(buffer.withUnsafeMutableBytes { successor.replay(to: $0) } == 0)
        opening.withUnsafeBytes { successor.noteRequest($0) }
        #expect(
            send(header: [80, 0, 2, 0], body: body, through: successor).passage
                == .opening(.passthrough, isSent: false))
        #expect(page.canBeTakenOver)
    }

    @Test func `requests that are owed an answer are counted, and those that the kernel only tells are not`() throws {
        let page = try SupervisorSharedState()
        let channel = DeviceChannel(wanted: [], page: page)
        for (opcode, unique) in [(15, 4), (15, 6), (2, 8), (36, 7), (42, 10)] as [(UInt32, UInt32)] {
            request(opcode: opcode, unique: unique, body: []).withUnsafeBytes { channel.noteRequest($0) }
        }
        #expect(page.count == ConversationCount(taken: 5, answered: 0, owed: 2, received: 0))
        _ = send(header: [16, 0, 4, 0], body: [], through: channel)
        // What libfuse says to an interrupt that came too late.
        _ = send(header: [16, 0, 7, 0], body: [], through: channel)
        #expect(page.count == ConversationCount(taken: 5, answered: 1, owed: 1, received: 0))
        channel.handOver()
        #expect(send(header: [16, 0, 6, 0], body: [], through: channel).passage == .refused)
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

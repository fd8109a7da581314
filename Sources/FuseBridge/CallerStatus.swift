/// The part of a thread's state in /proc/TID/status (proc(5)) that determines the meaning of an interrupt.
struct CallerStatus: Hashable {
    /// `true` if the thread has ended and is a zombie.
    let hasEnded: Bool
    /// `true` if a tracer, such as a debugger, receives the thread's signals first.
    let isTraced: Bool
    /// The user ID that file accesses are checked against.
    let fileSystemUserID: UInt32
    /// The pending signals of the thread and of its process that the thread does not block.
    let deliverable: SignalSet
    let ignored: SignalSet
    let caught: SignalSet

    /// Parses the content of the file. `nil` if a field is missing or malformed.
    init?(parsing text: some Collection<UInt8>) {
        var fields: [Field: Substring] = [:]
        for line in text.split(separator: UInt8(ascii: "\n")) {
            // The lists of groups and processors may be long, so lines are decoded only if they are needed.
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")),
                let field = Field(rawValue: String(decoding: line[..<colon], as: UTF8.self))
            else { continue }
            let value = String(decoding: line[line.index(after: colon)...], as: UTF8.self)
            fields[field] = value[...]
        }
        func words(_ field: Field) -> [Substring] {
            fields[field]?.split(whereSeparator: \.isWhitespace) ?? []
        }
        func signals(_ field: Field) -> SignalSet? {
            words(field).first.flatMap { UInt64($0, radix: 16) }.map { SignalSet(rawValue: $0) }
        }
        let users = words(.users)
        guard let state = words(.state).first, let tracer = words(.tracer).first, users.count == 4,
            let user = UInt32(users[3]), let ofThread = signals(.pendingOfThread),
            let ofProcess = signals(.pendingOfProcess), let blocked = signals(.blocked),
            let ignored = signals(.ignored), let caught = signals(.caught)
        else { return nil }
        hasEnded = state == "Z" || state == "X"
        isTraced = tracer != "0"
        fileSystemUserID = user
        deliverable = ofThread.union(ofProcess).subtracting(blocked)
        self.ignored = ignored
        self.caught = caught
    }

    private enum Field: String {
        case state = "State"
        case tracer = "TracerPid"
        case users = "Uid"
        case pendingOfThread = "SigPnd"
        case pendingOfProcess = "ShdPnd"
        case blocked = "SigBlk"
        case ignored = "SigIgn"
        case caught = "SigCgt"
    }
}

import Glibc
import Synchronization
import SystemSupport

/// A resolver of host names, by the configuration of this machine (`/etc/nsswitch.conf`, `/etc/hosts`,
/// `/etc/resolv.conf`) and with its timeouts: 5 s if the first name server is down.
///
/// libcurl's own resolver is a part of connecting, which has a shorter timeout, and caches addresses for each network
/// thread.
final class HostResolver: Sendable {
    /// The resolver of this process.
    static let shared = HostResolver { HostLookup.addresses(of: $0) }

    private let book = Mutex(AddressBook())
    private let lookUp: @Sendable (String) -> Result<[String], LookupFailure>

    /// Creates a resolver that has looked up nothing.
    ///
    /// - Parameter lookUp: Looks up a host; may block.
    init(_ lookUp: @escaping @Sendable (String) -> Result<[String], LookupFailure>) {
        self.lookUp = lookUp
    }

    /// Returns the known addresses of `host` immediately. Starts a lookup if one is due, on a thread of its own, and at
    /// most one for each host.
    func addresses(of host: String) -> AddressBook.Answer {
        let (answer, isDue) = book.withLock { $0.look(up: host, now: .now) }
        if isDue { begin(host) }
        return answer
    }

    /// Records that no connection could be made to the addresses of `host`.
    func noteUnreachable(_ host: String) {
        book.withLock { $0.noteUnreachable(host) }
    }

    private func begin(_ host: String) {
        let hasStarted = DetachedThread.start { [self] in
            let result = lookUp(host)
            book.withLock { $0.note(result, of: host, now: .now) }
        }
        guard !hasStarted else { return }
        let failure = LookupFailure(code: EAI_SYSTEM, systemError: errno, host: host)
        book.withLock { $0.note(.failure(failure), of: host, now: .now) }
    }
}

/// getaddrinfo(3).
enum HostLookup {
    /// Returns the addresses of a host in the order in which they should be tried; IPv6 addresses are in brackets.
    /// Addresses with a scope ("%eth0") are left out, since curl does not accept them.
    static func addresses(of host: String) -> Result<[String], LookupFailure> {
        var hints = addrinfo()
        hints.ai_family = hasIPv6 ? AF_UNSPEC : AF_INET
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, nil, &hints, &list)
        let systemError = errno
        defer { if let list { freeaddrinfo(list) } }
        guard code == 0 else { return .failure(LookupFailure(code: code, systemError: systemError, host: host)) }
        var addresses: [String] = []
        var next = list
        while let entry = next?.pointee {
            if let text = text(of: entry), !text.contains("%"), !addresses.contains(text) { addresses.append(text) }
            next = entry.ai_next
        }
        return .success(addresses)
    }

    /// `true` if the kernel supports IPv6. Without it, some name servers delay their answers for IPv6 addresses that
    /// cannot be used.
    private static var hasIPv6: Bool {
        let descriptor = socket(AF_INET6, CInt(SOCK_DGRAM.rawValue), 0)
        if descriptor >= 0 { close(descriptor) }
        return descriptor >= 0
    }

    private static func text(of entry: addrinfo) -> String? {
        // NI_MAXHOST.
        let capacity = 1_025
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity) { buffer in
            guard let start = buffer.baseAddress,
                getnameinfo(
                    entry.ai_addr, entry.ai_addrlen, start, socklen_t(capacity), nil, 0, NI_NUMERICHOST) == 0
            else { return nil }
            let text = String(cString: start)
            return entry.ai_family == AF_INET6 ? "[\(text)]" : text
        }
    }
}

extension LookupFailure {
    /// EAI_NODATA, which glibc declares only for GNU programs: the name exists, but has no address.
    private static let noData: CInt = -5

    /// Creates the failure of a call of getaddrinfo(3).
    ///
    /// - Parameters:
    ///   - code: The result of getaddrinfo(3).
    ///   - systemError: The value of errno, used if the result is EAI_SYSTEM.
    init(code: CInt, systemError: CInt, host: String) {
        isNameUnknown = code == EAI_NONAME || code == Self.noData
        let reason =
            code == EAI_SYSTEM
            ? String(cString: strerror(systemError))
            : gai_strerror(code).map { String(cString: $0) } ?? "getaddrinfo: \(code)"
        switch code {
        case EAI_NONAME, Self.noData:
            message = "there is no host \(host) (\(reason))"
        case EAI_AGAIN:
            message = "no name server answers for \(host) (\(reason)); check /etc/resolv.conf"
        default:
            message = "\(host): \(reason)"
        }
    }
}

import ObjectStore
import Synchronization

/// Names that were asked for beyond the listed pages of a directory, each settled by listings aimed at it.
final class NameProbes: Sendable {
    private let prefix: Key
    private let source: ListingSource
    private let probes = Mutex<[Name: Probe]>([:])

    fileprivate enum Probe {
        case inFlight([Completion])
        case settled(DirectoryEntry?)
    }

    typealias Completion = @Sendable (Result<DirectoryEntry?, StoreError>) -> Void

    /// How many names are remembered, present or not. Beyond that all are forgotten, and asked for again: a directory of
    /// which so many names were asked for in one TTL had better be listed anyway.
    private static let countLimit = 10_000

    init(prefix: Key, source: ListingSource) {
        self.prefix = prefix
        self.source = source
    }

    /// What `name` is in the directory, or `nil` where there is no such entry.
    func lookup(_ name: Name, completion: @escaping Completion) {
        enum Step {
            case answer(DirectoryEntry?)
            case wait
            case ask
        }
        let step = probes.withLock { probes -> Step in
            switch probes[name] {
            case .settled(let entry):
                return .answer(entry)
            case .inFlight(let waiters):
                probes[name] = .inFlight(waiters + [completion])
                return .wait
            case nil:
                if probes.count >= NameProbes.countLimit { probes = probes.filter { !$0.value.isSettled } }
                probes[name] = .inFlight([completion])
                return .ask
            }
        }
        switch step {
        case .answer(let entry): completion(.success(entry))
        case .wait: break
        case .ask: ask(name)
        }
    }

    /// Lists what begins with `name`: the file stands first, but its directory, which would hide it, only behind all
    /// that begins with the name and goes on with a byte below "/".
    private func ask(_ name: Name) {
        source.list(ListRequest(prefix: prefix.appending(name.bytes), isDelimited: true)) { [self] result in
            var entries = ListedEntries(prefix: prefix, account: source.account)
            do throws(StoreError) {
                let page = try result.get()
                try entries.append(page)
                switch entries.answer(for: name) {
                case .present(let entry): settle(name, .success(entry))
                case .absent: settle(name, .success(nil))
                case .unknown: askForDirectory(name, file: page.items.first.flatMap { file(name, in: $0) })
                }
            } catch {
                settle(name, .failure(error))
            }
        }
    }

    private func file(_ name: Name, in item: ListPage.Item) -> DirectoryEntry? {
        guard case .object(let object) = item, Classification(item.key, below: prefix) == .file(name) else {
            return nil
        }
        return DirectoryEntry(name: name, kind: .file(object))
    }

    /// Asks whether anything is below `name` + "/".
    private func askForDirectory(_ name: Name, file: DirectoryEntry?) {
        let directory = prefix.appending(name.bytes + [Key.delimiter])
        source.list(ListRequest(prefix: directory, isDelimited: false, limit: 1)) { [self] result in
            settle(name, result.map { $0.items.isEmpty ? file : DirectoryEntry(name: name, kind: .directory) })
        }
    }

    /// Keeps an answer, and gives it to those who wait. A failure is not kept: the next one asks again.
    private func settle(_ name: Name, _ result: Result<DirectoryEntry?, StoreError>) {
        let probe = probes.withLock { probes in
            let probe = probes[name]
            switch result {
            case .success(let entry): probes[name] = .settled(entry)
            case .failure: probes[name] = nil
            }
            return probe
        }
        guard case .inFlight(let waiters) = probe else { return }
        for completion in waiters { completion(result) }
    }
}

extension NameProbes.Probe {
    var isSettled: Bool {
        if case .settled = self { true } else { false }
    }
}

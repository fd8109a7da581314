import Glibc

extension EntryBlock {
    /// The index of the first entry that doesn't stand before `sortKey`; `count` where all do.
    func firstIndex(notBefore sortKey: UnsafeRawBufferPointer) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if withSortKey(middle, { $0.precedes(sortKey) }) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }

    /// The index of the first entry that doesn't stand before `sortKey`; `count` where all do.
    func firstIndex(notBefore sortKey: [UInt8]) -> Int {
        sortKey.withUnsafeBytes { firstIndex(notBefore: $0) }
    }

    /// The index of the entry at `sortKey`.
    func index(of sortKey: UnsafeRawBufferPointer) -> Int? {
        let index = firstIndex(notBefore: sortKey)
        return index < count && withSortKey(index) { $0.isEqual(to: sortKey) } ? index : nil
    }

    /// The index of the entry at `sortKey`.
    func index(of sortKey: [UInt8]) -> Int? {
        sortKey.withUnsafeBytes { index(of: $0) }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether these bytes stand before others in S3's order of keys: a prefix before what it begins.
    func precedes(_ other: UnsafeRawBufferPointer) -> Bool {
        let order = compareStart(with: other)
        return order != 0 ? order < 0 : count < other.count
    }

    /// The order of these bytes and others in S3's order of keys: below 0 where these stand before, `nil` where both are the same.
    func compare(with other: UnsafeRawBufferPointer) -> Int? {
        let order = compareStart(with: other)
        if order != 0 { return Int(order) }
        return count == other.count ? nil : count - other.count
    }

    /// Whether these are the same bytes.
    func isEqual(to other: UnsafeRawBufferPointer) -> Bool {
        count == other.count && compareStart(with: other) == 0
    }

    /// memcmp of as many bytes as both have.
    private func compareStart(with other: UnsafeRawBufferPointer) -> CInt {
        guard let base = baseAddress, let otherBase = other.baseAddress else { return 0 }
        return memcmp(base, otherBase, Swift.min(count, other.count))
    }
}

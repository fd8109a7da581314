import Glibc

extension EntryBlock {
    /// Returns the index of the first entry at or behind `sortKey`; `count` if there is none.
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

    /// Returns the index of the first entry at or behind `sortKey`; `count` if there is none.
    func firstIndex(notBefore sortKey: [UInt8]) -> Int {
        sortKey.withUnsafeBytes { firstIndex(notBefore: $0) }
    }

    /// Returns the index of the entry with `sortKey`.
    func index(of sortKey: UnsafeRawBufferPointer) -> Int? {
        let index = firstIndex(notBefore: sortKey)
        return index < count && withSortKey(index) { $0.isEqual(to: sortKey) } ? index : nil
    }

    /// Returns the index of the entry with `sortKey`.
    func index(of sortKey: [UInt8]) -> Int? {
        sortKey.withUnsafeBytes { index(of: $0) }
    }
}

extension UnsafeRawBufferPointer {
    /// Returns `true` if these bytes come before others in S3's order of keys: a prefix before its continuations.
    func precedes(_ other: UnsafeRawBufferPointer) -> Bool {
        let order = compareStart(with: other)
        return order != 0 ? order < 0 : count < other.count
    }

    /// Compares these bytes with others in S3's order of keys. Returns a number below 0 if these come first, and `nil`
    /// if both are equal.
    func compare(with other: UnsafeRawBufferPointer) -> Int? {
        let order = compareStart(with: other)
        if order != 0 { return Int(order) }
        return count == other.count ? nil : count - other.count
    }

    /// Returns `true` if the bytes are equal.
    func isEqual(to other: UnsafeRawBufferPointer) -> Bool {
        count == other.count && compareStart(with: other) == 0
    }

    /// Compares the common length with memcmp.
    private func compareStart(with other: UnsafeRawBufferPointer) -> CInt {
        guard let base = baseAddress, let otherBase = other.baseAddress else { return 0 }
        return memcmp(base, otherBase, Swift.min(count, other.count))
    }
}

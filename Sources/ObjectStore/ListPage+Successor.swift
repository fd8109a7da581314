extension ListPage {
    /// Returns `true` if this response to `request` can't be used without the next page: it is empty, or it is the
    /// first page of a directory, isn't full, and has common prefixes only.
    ///
    /// S3 fills its pages and merges common prefixes with keys. Some stores list all common prefixes before the first
    /// key; their first page would imply that there are no files among the subdirectories.
    public func needsSuccessor(of request: ListRequest) -> Bool {
        guard next != nil else { return false }
        if items.isEmpty { return true }
        guard request.isDelimited, request.startAfter == nil, request.continuation == nil, items.count < request.limit
        else { return false }
        return items.allSatisfy { if case .commonPrefix = $0 { true } else { false } }
    }

    /// Returns this page and its successor as one page.
    public func joined(with successor: ListPage) -> ListPage {
        var isOrdered = isOrdered && successor.isOrdered
        if let last = items.last, let first = successor.items.first, last.key >= first.key { isOrdered = false }
        return ListPage(items: items + successor.items, next: successor.next, isOrdered: isOrdered)
    }
}

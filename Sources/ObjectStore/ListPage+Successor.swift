extension ListPage {
    /// Returns `true` if the page, which answers `request`, tells too little to be believed by itself, so that its successor must come
    /// first: it is empty, or it is the short beginning of a directory's listing and has common prefixes only.
    ///
    /// S3 fills its pages and merges common prefixes with keys. Some stores list all common prefixes before the first key:
    /// their first page would prove that there are no files among the subdirectories.
    public func needsSuccessor(of request: ListRequest) -> Bool {
        guard next != nil else { return false }
        if items.isEmpty { return true }
        guard request.isDelimited, request.startAfter == nil, request.continuation == nil, items.count < request.limit
        else { return false }
        return items.allSatisfy { if case .commonPrefix = $0 { true } else { false } }
    }

    /// This page and the one that its token led to, as one.
    public func joined(with successor: ListPage) -> ListPage {
        var isOrdered = isOrdered && successor.isOrdered
        if let last = items.last, let first = successor.items.first, last.key >= first.key { isOrdered = false }
        return ListPage(items: items + successor.items, next: successor.next, isOrdered: isOrdered)
    }
}

extension RandomAccessCollection {
    /// Returns the first index whose element matches `belongsInSecondPartition`, or `endIndex`. The elements that match
    /// must follow all others; takes a logarithmic number of steps.
    public func partitioningIndex(where belongsInSecondPartition: (Element) -> Bool) -> Index {
        var (start, count) = (startIndex, self.count)
        while count > 0 {
            let middle = index(start, offsetBy: count / 2)
            if belongsInSecondPartition(self[middle]) {
                count /= 2
            } else {
                start = index(after: middle)
                count -= count / 2 + 1
            }
        }
        return start
    }
}

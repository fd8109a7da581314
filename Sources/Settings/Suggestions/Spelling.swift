/// Finds the word that was probably meant by one that isn't known.
package enum Spelling {
    /// Returns the most similar of `words`; `nil` if none is similar.
    package static func nearest(to word: String, among words: [String]) -> String? {
        let candidates = words.map { (word: $0, distance: distance(word, $0)) }
        guard let best = candidates.min(by: { ($0.distance, $0.word) < ($1.distance, $1.word) }) else { return nil }
        if best.distance <= max(1, word.count / 4) { return best.word }
        // "endpoint" for "endpoint-url".
        let longer = words.filter { word.count >= 3 && $0.hasPrefix(word) }
        return longer.min { $0.count < $1.count }
    }

    /// Returns the optimal string alignment distance (Damerau-Levenshtein): the number of bytes that are inserted,
    /// deleted, replaced or swapped with their neighbors.
    private static func distance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left.lowercased().utf8), Array(right.lowercased().utf8))
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for i in left.indices {
            var row = [i + 1]
            for j in right.indices {
                var best = min(last[j] + (left[i] == right[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    best = min(best, beforeLast[j - 1] + 1)
                }
                row.append(best)
            }
            (beforeLast, last) = (last, row)
        }
        return last[right.count]
    }
}

import ObjectStore
import SystemSupport

/// The keys of one directory, as a pattern for its siblings: in many trees, such as those of a study's subjects,
/// siblings have nearly the same contents.
struct SiblingTemplate {
    /// The number of keys from one mark to the next.
    static let markDistance = 50

    /// The directory's name.
    let name: [UInt8]
    /// Keys relative to the directory, in order, `markDistance` keys apart.
    let marks: [[UInt8]]

    /// The approximate number of keys in the directory.
    var keyCount: Int { marks.count * SiblingTemplate.markDistance }

    /// Returns the approximate number of keys of `sibling` before the relative key `relative`.
    func keyCount(before relative: some Sequence<UInt8>, in sibling: [UInt8]) -> Int {
        let mine = replacing(sibling, by: name, in: Array(relative))
        return marks.partitioningIndex { !$0.lexicographicallyPrecedes(mine) } * SiblingTemplate.markDistance
    }

    /// Returns the relative key of `sibling` behind approximately `count` keys; `nil` if the directory has fewer.
    func key(behind count: Int, in sibling: [UInt8]) -> [UInt8]? {
        if count <= 0 { return [] }
        let index = count / SiblingTemplate.markDistance
        return index < marks.count ? replacing(name, by: sibling, in: marks[index]) : nil
    }

    /// Replaces the directory's name by the sibling's: names below a directory often contain its own, as in
    /// "100307/T1w/100307/".
    private func replacing(_ old: [UInt8], by new: [UInt8], in key: [UInt8]) -> [UInt8] {
        // A name of one or two letters occurs in many words.
        if old == new || old.count < 3 || key.count < old.count { return key }
        var replaced: [UInt8] = []
        var rest = key[...]
        while let first = rest.first {
            if first == old[0] && rest.starts(with: old) {
                replaced += new
                rest = rest.dropFirst(old.count)
            } else {
                replaced.append(first)
                rest = rest.dropFirst()
            }
        }
        return replaced
    }
}

import ObjectStore
import SystemSupport

/// What one directory was seen to hold, as a pattern for its siblings: in many trees, those of a study's subjects for one,
/// siblings hold the same things by nearly the same names.
struct SiblingTemplate {
    /// Every how many keys there is a mark.
    static let markDistance = 50

    /// The directory's name.
    let name: [UInt8]
    /// Keys relative to the directory, in order, each `markDistance` keys behind the one before.
    let marks: [[UInt8]]

    /// How many keys the directory has, about.
    var keyCount: Int { marks.count * SiblingTemplate.markDistance }

    /// How many keys of the sibling `sibling` come before the relative key `relative`, about.
    func keyCount(before relative: some Sequence<UInt8>, in sibling: [UInt8]) -> Int {
        let mine = replacing(sibling, by: name, in: Array(relative))
        return marks.partitioningIndex { !$0.lexicographicallyPrecedes(mine) } * SiblingTemplate.markDistance
    }

    /// The relative key of the sibling `sibling` that `count` keys come before, about; `nil` where it has no so many.
    func key(behind count: Int, in sibling: [UInt8]) -> [UInt8]? {
        if count <= 0 { return [] }
        let index = count / SiblingTemplate.markDistance
        return index < marks.count ? replacing(name, by: sibling, in: marks[index]) : nil
    }

    /// Names below a directory often tell the directory's own, as in "100307/T1w/100307/": the sibling's tell the sibling's.
    private func replacing(_ old: [UInt8], by new: [UInt8], in key: [UInt8]) -> [UInt8] {
        // A name of a letter or two is found in all sorts of words.
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

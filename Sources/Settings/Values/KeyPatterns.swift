import Glibc

/// A selection of files by their paths below a folder, with the wildcards of the AWS CLI: fnmatch(3) without any of its
/// flags but FNM_NOESCAPE, so that "*" and "?" match "/" too.
package struct KeyPatterns {
    private let included: [String]
    private let excluded: [String]

    /// Selects the files that match one of `included`, or all files if it is empty, and none of `excluded`.
    package init(including included: [String], excluding excluded: [String]) {
        self.included = included
        self.excluded = excluded
        // "?" matches a character, not a byte.
        setlocale(LC_CTYPE, "C.UTF-8")
    }

    /// All files.
    package static let all = KeyPatterns(including: [], excluding: [])

    /// Returns `true` if the file with this path is selected.
    package func match(_ path: [UInt8]) -> Bool {
        let text = path.map { CChar(bitPattern: $0) } + [0]
        func matches(_ pattern: String) -> Bool { fnmatch(pattern, text, FNM_NOESCAPE) == 0 }
        return (included.isEmpty || included.contains(where: matches)) && !excluded.contains(where: matches)
    }
}

import Glibc

/// Which files are wanted, by their paths below a folder; the AWS CLI's wildcards (fnmatch(3) without any of its flags but
/// FNM_NOESCAPE, so that "*" and "?" stand for "/" too).
struct KeyPatterns {
    private let included: [String]
    private let excluded: [String]

    /// What matches one of `included`, or everything if there is none, and none of `excluded`.
    init(including included: [String], excluding excluded: [String]) {
        self.included = included
        self.excluded = excluded
        // "?" is a character, not a byte.
        setlocale(LC_CTYPE, "C.UTF-8")
    }

    /// All files.
    static let all = KeyPatterns(including: [], excluding: [])

    /// Whether a file with this path is wanted.
    func match(_ path: [UInt8]) -> Bool {
        let text = path.map { CChar(bitPattern: $0) } + [0]
        func matches(_ pattern: String) -> Bool { fnmatch(pattern, text, FNM_NOESCAPE) == 0 }
        return (included.isEmpty || included.contains(where: matches)) && !excluded.contains(where: matches)
    }
}

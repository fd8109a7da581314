package import Settings

/// The findings that make mounts on this machine slower than they could be, as far as they need no request.
package enum MountAdvice {
    /// Returns a line for each finding: at most one for the reads of cached files, and one for the cache.
    package static func lines(cache: CacheOptions, environment: [String: String]) -> [String] {
        let findings = [
            PassthroughCheck(cache: try? cache.settings(environment: environment)).run().finding,
            CacheCheck(options: cache, environment: environment).run().finding,
        ]
        return findings.filter { $0.status == .warning }.map(FindingLines(isColored: false).line)
    }
}

package import ArgumentParser
package import SystemSupport

/// The options of the cache on the local disk, which serves later reads and mounts.
package struct CacheOptions: ParsableArguments {
    @OptionGroup
    package var place: CacheFolderOptions

    @Option("The size limit of the cache.", valueName: "size")
    package var cacheSize = ByteCount(10 << 30)

    @Flag(name: .customLong("cache"), inversion: .prefixedNo, help: "Cache file contents and listings on the disk.")
    package var isEnabled = true

    @Flag(
        inversion: .prefixedNo,
        help: ArgumentHelp(
            "Once nothing is read, fetch those parts of files again that came too fast for the disk, so that it holds "
                + "whole files. Each is fetched once, and only for files that were read to their end."))
    package var refetch = true

    package init() {}

    package func validate() throws {
        let least = ByteCount(CacheSettings.minimumByteLimit)
        if cacheSize.byteCount < least.byteCount {
            throw ValidationError("--cache-size \(cacheSize) is too little: give at least \(least), or --no-cache")
        }
        if !isEnabled, place.cacheDir != nil { throw ValidationError("give --cache-dir or --no-cache, not both") }
    }

    /// Returns the settings that the options make together; `nil` for no cache.
    package func settings(environment: [String: String]) throws(Failure) -> CacheSettings? {
        if !isEnabled { return nil }
        return CacheSettings(
            directory: try place.folder(environment: environment), isRequired: place.cacheDir != nil,
            byteLimit: cacheSize.byteCount, isRefetching: refetch)
    }
}

import SystemPackage
import Testing

@testable import Settings

@Suite struct CacheSettingsTests {
    @Test(
        "without --cache-dir the folder is where the user's caches are, or the system's for root",
        arguments: [
            (["HOME": "/home/a"], false, "/home/a/.cache/tractfs"),
            (["HOME": "/home/a", "XDG_CACHE_HOME": "/b"], false, "/b/tractfs"),
            (["HOME": "/home/a", "XDG_CACHE_HOME": "b"], false, "/home/a/.cache/tractfs"),
            (["HOME": "/root", "XDG_CACHE_HOME": "/b"], true, "/var/cache/tractfs"), ([:], true, "/var/cache/tractfs"),
            ([:], false, nil), (["HOME": ""], false, nil),
        ] as [([String: String], Bool, FilePath?)])
    func folder(environment: [String: String], isRoot: Bool, folder: FilePath?) {
        let standard = try? CacheSettings.standardDirectory(environment: environment, isRoot: isRoot)
        #expect(standard == folder)
    }
}

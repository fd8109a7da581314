import Foundation

/// A Boolean value that is `true` if the machine supports passthrough: root, Linux 6.9 or later, and a temporary folder
/// that is not on overlayfs. The code under test has no part in it.
public let passthroughAvailable: Bool = {
    var name = utsname()
    uname(&name)
    let release = withUnsafeBytes(of: name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    let version = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
    let temporary = FileManager.default.temporaryDirectory.path
    let fileSystem = try? runChecked("stat", ["--file-system", "--format=%T", temporary])
    return geteuid() == 0 && !version.lexicographicallyPrecedes([6, 9]) && fileSystem != "overlayfs\n"
}()

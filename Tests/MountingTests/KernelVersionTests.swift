import Testing

@testable import Mounting

@Suite("Versions of Linux") struct KernelVersionTests {
    @Test(
        "are read off what uname says",
        arguments: [
            ("6.18.44-fc-v657", 6, 18), ("5.15.0-105-generic", 5, 15), ("7.0-rc1", 7, 0), ("6.9-rc1+", 6, 9),
            ("4.18.0-553.el8_10.x86_64", 4, 18),
        ])
    func release(_ text: String, major: Int, minor: Int) {
        #expect(KernelVersion(release: text) == KernelVersion(major, minor))
    }

    @Test("a text that is not a kernel release is refused", arguments: ["", "6", "Linux", "x.y", "6.", "6.x"])
    func noRelease(_ text: String) {
        #expect(KernelVersion(release: text) == nil)
    }

    @Test(
        "copy directories well, except for four",
        arguments: [
            ("4.20", true), ("5.15.0", true), ("6.8.12", true), ("6.9.0", false), ("6.10.3", false), ("6.12.58", false),
            ("6.13", true), ("6.18.44", true), ("7.0-rc1", true), ("5.10.209", true), ("7.9.1", true),
        ])
    func directories(_ text: String, areCopiedWell: Bool) throws {
        #expect(try #require(KernelVersion(release: text)).copiesDirectoriesWell == areCopiedWell)
    }
}

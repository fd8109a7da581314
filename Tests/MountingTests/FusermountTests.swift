import TestSupport
import Testing

@testable import Mounting

@Suite("fusermount3") struct FusermountTests {
    @Test(
        arguments: [
            (
                "fusermount3: mount failed: Permission denied",
                "AppArmor; mount below your home, /mnt, /media or /tmp, or as root (fusermount3: mount failed: Permission denied)"
            ),
            ("fusermount3: failed to open /dev/fuse: Permission denied", "chmod 666 /dev/fuse"),
            (
                "fusermount3: option allow_other only allowed if 'user_allow_other' is set in /etc/fuse.conf",
                "\"user_allow_other\""
            ),
            ("fusermount3: bad mount point /x: No such file or directory", "bad mount point /x"),
            (nil, "mounted nothing"),
        ] as [(String?, String)])
    func `messages of fusermount3 are reported with a remedy`(complaint: String?, words: String) {
        #expect(Fusermount.hint(for: complaint).contains(words))
    }

    @Test func `fusermount3 is taken from the system's folders, then from those of PATH`() throws {
        try withTemporaryDirectory { directory in
            let (system, environment) = (directory + "/system", directory + "/environment")
            for folder in [system, environment] {
                try runChecked("mkdir", [folder])
                try runChecked("install", ["-m", "755", "/dev/null", folder + "/fusermount3"])
            }
            let folders = { Fusermount.path(inPATH: "/nonexistent:\(environment)", systemFolders: $0) }
            #expect(folders([system]) == system + "/fusermount3")
            #expect(folders(["/nonexistent"]) == environment + "/fusermount3")
            #expect(Fusermount.path(inPATH: "", systemFolders: []) == nil)
        }
    }
}

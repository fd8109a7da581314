import SystemPackage
import Testing

@testable import Mounting

@Suite("The mount table") struct MountTableTests {
    @Test func `a mount is read with its path, type, source and device`() {
        let table = MountTable(
            parsing: """
                22 27 0:21 / /proc rw,relatime - proc proc rw
                36 35 0:53 / /mnt/with\\040space\\134and\\011tab ro shared:1 master:2 - fuse.tractfs s3://b/a,b\\040c ro
                a line that is none
                """)
        #expect(table.entries.count == 2)
        let mount = table.mount(at: "/mnt/with space\\and\ttab")
        #expect(mount?.isTractfs == true)
        #expect(mount?.source == "s3://b/a,b c")
        #expect(mount?.device == "0:53")
        #expect(table.mount(at: "/proc")?.isTractfs == false)
        #expect(table.mount(at: "/mnt") == nil)
    }

    @Test func `an overlay of ours is told from others, and where it keeps what is written`() {
        let table = MountTable(
            parsing: """
                1 0 0:1 / /a rw - overlay s3://b/x rw,lowerdir=/a\\134:b\\054,upperdir=/with\\040space\\054a\\134\\134b\\134:c/upper,workdir=/w
                2 0 0:2 / /b rw - overlay overlay rw,lowerdir=/l,upperdir=/u,workdir=/w
                3 0 0:3 / /c rw - overlay s3://b ro,lowerdir=/l
                4 0 0:4 / /d rw - fuse.tractfs s3://b ro,upperdir=/u
                """)
        #expect(table.entries.map(\.overlayUpper) == ["/with space,a\\b:c/upper", "/u", nil, nil])
        #expect(table.entries.map(\.isOverlaid) == [true, false, false, false])
        #expect(table.entries.map(\.isOurs) == [true, false, false, true])
    }

    @Test func `of several mounts on one path the last is the one that is seen`() {
        let table = MountTable(parsing: "1 0 0:1 / /m rw - ext4 /dev/a rw\n2 1 0:2 / /m rw - fuse.tractfs s3://b rw\n")
        #expect(table.mount(at: "/m")?.device == "0:2")
    }

    @Test(
        "knows which mount a path lies in",
        arguments: [
            ("/data/cache/x", "0:3"), ("/data/cached", "0:2"), ("/data", "0:2"), ("/home", "0:1"), ("/", "0:1"),
        ])
    func containing(path: String, device: String) {
        let table = MountTable(
            parsing: """
                1 0 0:1 / / rw - overlay o rw
                2 1 0:9 / /data rw - ext4 /dev/a rw
                3 2 0:3 / /data/cache rw - ext4 /dev/b rw
                4 1 0:2 / /data rw - ext4 /dev/c rw
                """)
        #expect(table.mount(containing: FilePath(path))?.device == device)
    }

    @Test func `a comma or backslash in a prefix is no end of an option to fusermount3`() {
        #expect(MountedDevice.escaped("s3://b/x,dev\\y") == "s3://b/x\\,dev\\\\y")
    }
}

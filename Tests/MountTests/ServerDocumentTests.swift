import TestSupport
import Testing

@testable import tractfs

/// Documents of servers, as the commands pass them on.
@Suite("Documents of a mount") struct ServerDocumentTests {
    @Test func `the JSON of a status is the mount point's members and the server's`() {
        let mount = AskedMount(mountPoint: "/mnt", source: "s3://b", answer: .success("{\"uri\": \"x\"}"))
        #expect(
            StatusJSON.object(mount)
                == "{\"mount_point\": \"/mnt\", \"source\": \"s3://b\", \"error\": null, \"uri\": \"x\"}")
    }

    @Test(arguments: ["", "{}", "{\"uri\": \"s3://b\"}", "null"])
    func `a status of another version is refused, with the command that helps`(answer: String) {
        let mount = AskedMount(mountPoint: "/mnt", source: "s3://b", answer: .success(answer))
        #expect { try mount.status() } throws: { "\($0)".contains("tractfs upgrade /mnt") }
    }

    @Test(arguments: ["", "{}", "{\"status\": {}}", "null"])
    func `a report of another version is refused, with the command that helps`(answer: String) {
        let asked = AskedReport(mountPoint: "/mnt", source: "s3://b", answer: answer)
        #expect { try asked.report() } throws: { "\($0)".contains("tractfs upgrade /mnt") }
    }
}

import Foundation
import TestSupport
import Testing

@testable import S3Client

/// The addresses of ECS, EKS and EC2, in a network namespace that has them.
@Suite(
    "Credentials of a container at the address of",
    .enabled(if: networkNamespacesAvailable, "needs root and the right to make network namespaces"))
struct ContainerAddressTests {
    private static let document = """
        {"AccessKeyId":"DOCUMENTID","SecretAccessKey":"\(hush)s","Token":"\(hush)t","Expiration":"2099-01-01T00:00:00Z"}
        """

    @Test func `credentials of ECS are found by a path alone`() throws {
        try withNetworkNamespace(addresses: ["169.254.170.2"]) {
            try withServiceTestServer(at: "169.254.170.2", answering: { _ in .init(Self.document) }) { server in
                try withCredentialsFolder { folder in
                    let variables = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/5b1f?x=y"]
                    let found = try folder.resolve(variables).get()
                    #expect(found.credentials.accessKeyID == "DOCUMENTID" && found.kind == .instance)
                    #expect(server.log.map(\.target) == ["/v2/credentials/5b1f?x=y"])
                    #expect(server.log[0].headers["authorization"] == nil)
                }
            }
        }
    }

    @Test func `credentials of EKS are requested with the current token in its file`() throws {
        try withNetworkNamespace(addresses: ["169.254.170.23"]) {
            try withServiceTestServer(at: "169.254.170.23", answering: { _ in .init(Self.document) }) { server in
                try withCredentialsFolder { folder in
                    for token in ["\(hush)-1", "\(hush)-2"] {
                        let file = try folder.write(token, to: "token")
                        let variables = [
                            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
                            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": file,
                        ]
                        try #expect(folder.resolve(variables).get().credentials.accessKeyID == "DOCUMENTID")
                    }
                    #expect(server.log.map { $0.headers["authorization"] } == ["\(hush)-1", "\(hush)-2"])
                }
            }
        }
    }

    @Test func `credentials of EC2 are those of the machine, if a container can reach its service`() throws {
        try withNetworkNamespace(addresses: ["169.254.169.254"]) {
            let service = MetadataService(document: Self.document)
            try withServiceTestServer(at: "169.254.169.254", answering: service.answer) { server in
                try withCredentialsFolder { folder in
                    let variables = ["AWS_EC2_METADATA_DISABLED": ""]
                    try #expect(folder.resolve(variables).get().credentials.accessKeyID == "DOCUMENTID")
                    server.answer { _ in .silence }
                    #expect(folder.resolve(variables).message?.contains("hop limit") == true)
                }
            }
        }
    }
}

import Foundation
import TestSupport
import Testing

@testable import S3Client

@Suite struct SystemCertificatesTests {
    @Test func `libcurl uses its own certificates where they exist, and else the first ones that do`() throws {
        try withTemporaryDirectory { folder in
            let (standard, first, second) = (folder + "/standard", folder + "/first", folder + "/second")
            let paths = [first, second]
            #expect(SystemCertificates.file(insteadOf: standard, among: paths) == nil)
            try "".write(toFile: second, atomically: true, encoding: .utf8)
            #expect(SystemCertificates.file(insteadOf: standard, among: paths) == second)
            try "".write(toFile: first, atomically: true, encoding: .utf8)
            #expect(SystemCertificates.file(insteadOf: standard, among: paths) == first)
            try "".write(toFile: standard, atomically: true, encoding: .utf8)
            #expect(SystemCertificates.file(insteadOf: standard, among: paths) == nil)
        }
    }
}

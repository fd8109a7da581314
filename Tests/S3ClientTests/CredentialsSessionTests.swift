import Logging
import TestSupport
import Testing

@testable import S3Client

@Suite struct `A session of credentials` {
    @Test func `credentials are renewed before they expire, without a request`() throws {
        try withCredentialsFolder { folder in
            // Different credentials each time, with a lifetime of four seconds.
            let script = """
                #!/bin/sh
                count=$(cat "$HOME/count" 2>/dev/null); echo "x$count" > "$HOME/count"
                end=$(date -u -d '4 seconds' +%Y-%m-%dT%H:%M:%SZ)
                echo '{"Version":1,"AccessKeyId":"ID'"$count"'","SecretAccessKey":"s","Expiration":"'"$end"'"}'
                """
            let program = try folder.write(script, to: "program", mode: 0o700)
            try folder.write("[default]\ncredential_process = \(program)\n", to: ".aws/config")
            let chain = CredentialsChain(environment: folder.environment, profile: nil)
            let first = try chain.resolve()
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let session = CredentialsSession(chain, first, logger: logger)
            defer { session.shutdown() }
            try eventually("a third pair") { session.resolved.credentials.accessKeyID == "IDxx" }
            guard case .ready(let credentials, isUnverified: false) = session.current(for: "a") else {
                Issue.record("not ready")
                return
            }
            #expect(credentials.accessKeyID.hasPrefix("IDxx"))
        }
    }
}

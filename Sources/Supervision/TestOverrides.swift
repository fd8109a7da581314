/// Limits that tests set through the environment of a mount. The names lack the prefix TRACTFS_, which belongs to the
/// user's settings.
package struct TestOverrides {
    package static let hangTimeoutVariable = "_TRACTFS_TEST_HANG_SECONDS"
    package static let stateLogByteCountVariable = "_TRACTFS_TEST_STATE_LOG_BYTES"

    /// The time without progress after which a server counts as hanging (`Watchdog`).
    package let hangTimeout: Duration?
    /// The size of the state log from which it is rewritten.
    package let stateLogByteCount: Int?

    package init(environment: [String: String]) {
        hangTimeout = environment[Self.hangTimeoutVariable].flatMap { Double($0) }.flatMap { seconds in
            (0.1...1e6).contains(seconds) ? Duration.seconds(seconds) : nil
        }
        stateLogByteCount = environment[Self.stateLogByteCountVariable].flatMap { Int($0) }
    }
}

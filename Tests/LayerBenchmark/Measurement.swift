import Glibc

/// The elapsed time and the CPU time of a piece of work.
struct Measurement {
    private let count: Int
    private let seconds: Double
    private let cpuSeconds: Double

    /// Measures `body`, which returns how many bytes, or entries, it brought.
    init(_ body: () throws -> Int) rethrows {
        let clock = Self.now(CLOCK_MONOTONIC)
        let cpu = Self.now(CLOCK_PROCESS_CPUTIME_ID)
        count = try body()
        seconds = Self.now(CLOCK_MONOTONIC) - clock
        cpuSeconds = Self.now(CLOCK_PROCESS_CPUTIME_ID) - cpu
    }

    /// Prints the line of this measurement.
    func report(_ name: String) {
        print("\(name)\t\(count)\t\(seconds)\t\(cpuSeconds)")
    }

    private static func now(_ clock: clockid_t) -> Double {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// How a server that has left its mount to the next one ends.
enum HandOver {
    /// EX_TEMPFAIL of sysexits.h: come again. No other end of ours has it.
    static let exitStatus: Int32 = 75
}

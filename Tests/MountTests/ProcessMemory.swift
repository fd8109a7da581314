import Foundation
import Testing

/// The most memory that a process ever had (VmHWM of proc_pid_status(5)).
func peakByteCount(of process: Int32) throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
    return try #require(Int(line.filter(\.isNumber))) << 10
}

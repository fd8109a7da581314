import CommandOutput
import Settings
import SystemSupport

/// Checks that the machine has enough memory for the limit.
struct MemoryCheck: Check {
    let options: MemoryOptions
    let connectionLimit: Int

    var name: CheckName { .memory }

    func run() -> CheckResult<Never> {
        let budget = options.budget(connectionLimit: connectionLimit)
        let all = MachineMemory.byteCount()
        let available = MachineMemory.availableByteCount()
        let message =
            "a mount uses up to \(ByteCount(budget.byteLimit).rounded) of the \(ByteCount(all).rounded) that the machine or "
            + "container has (for \(budget.connectionLimit) connections)"
        let values: [(name: String, value: JSONObject.Value)] = [
            ("limit_bytes", .number(budget.byteLimit)), ("machine_bytes", .number(all)),
            ("available_bytes", available.map { .number($0) } ?? .null),
            ("connections", .number(budget.connectionLimit)),
        ]
        if let available, available < budget.byteLimit {
            return CheckResult(
                .warning(
                    name, "\(message), but only \(ByteCount(available).rounded) are free now",
                    advice: "give a smaller --memory-limit, or a machine with more memory", values: values))
        }
        if budget.connectionLimit < connectionLimit {
            return CheckResult(
                .warning(
                    name, "\(message): there is no room for \(connectionLimit)",
                    advice: "give a greater --memory-limit, or a smaller --max-connections", values: values))
        }
        return CheckResult(.ok(name, message, values: values))
    }
}

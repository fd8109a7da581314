/// A check of something that a mount needs, or that makes it fast.
protocol Check: Sendable {
    /// The result that later checks use.
    associatedtype Product: Sendable

    var name: CheckName { get }
    /// The time limit.
    var limit: Duration { get }

    /// Performs the check. It may wait for the network or a disk; the caller stops waiting after `limit`.
    func run() -> CheckResult<Product>
}

extension Check {
    /// Long enough for a disk that is busy.
    var limit: Duration { .seconds(10) }
}

/// The result of a check.
struct CheckResult<Product: Sendable>: Sendable {
    let finding: Finding
    /// `nil` if the checks that use it can't be made.
    let product: Product?

    init(_ finding: Finding, _ product: Product?) {
        self.finding = finding
        self.product = product
    }
}

extension CheckResult<Never> {
    /// The result of a check that no other one uses.
    init(_ finding: Finding) {
        self.init(finding, nil)
    }
}

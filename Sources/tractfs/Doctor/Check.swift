/// One thing that is looked at.
protocol Check: Sendable {
    /// What later checks build on.
    associatedtype Product: Sendable

    var name: CheckName { get }
    /// How long it may take.
    var limit: Duration { get }

    /// Looks. May wait for the network or a disk; whoever calls gives up waiting after `limit`.
    func run() -> CheckResult<Product>
}

extension Check {
    /// Long enough for a disk that is busy.
    var limit: Duration { .seconds(10) }
}

/// What came of a check.
struct CheckResult<Product: Sendable>: Sendable {
    let finding: Finding
    /// `nil` where later checks have nothing to build on.
    let product: Product?

    init(_ finding: Finding, _ product: Product?) {
        self.finding = finding
        self.product = product
    }
}

extension CheckResult<Never> {
    /// What nothing builds on.
    init(_ finding: Finding) {
        self.init(finding, nil)
    }
}

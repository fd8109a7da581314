import Glibc

/// How long a server takes before it answers, request by request.
public enum Latency: Sendable {
    /// Always the same.
    case constant(Duration)
    /// Anything in between, equally often.
    case uniform(ClosedRange<Duration>)
    /// What S3 looks like: half of all answers take less than `median`, few take very much more. Of a thousand answers
    /// about one takes longer than `median` × exp(3 × `sigma`).
    case logNormal(median: Duration, sigma: Double)

    /// The latency of the next request.
    func next(using random: inout SeededGenerator) -> Duration {
        switch self {
        case .constant(let duration): return duration
        case .uniform(let range):
            return range.lowerBound + (range.upperBound - range.lowerBound) * Double.random(in: 0..<1, using: &random)
        case .logNormal(let median, let sigma): return median * exp(sigma * Self.normal(using: &random))
        }
    }

    /// A number of the standard normal distribution (Box and Muller 1958).
    private static func normal(using random: inout SeededGenerator) -> Double {
        let (radius, angle) = (Double.random(in: 0..<1, using: &random), Double.random(in: 0..<1, using: &random))
        return sqrt(-2 * log(1 - radius)) * cos(2 * .pi * angle)
    }
}

import Glibc

/// The distribution of the time to the first byte.
public enum Latency: Sendable {
    /// Always the same.
    case constant(Duration)
    /// Anything in between, equally often.
    case uniform(ClosedRange<Duration>)
    /// The distribution of S3: half of all responses take less than `median`, and few take very much more. Of a
    /// thousand responses about one takes longer than `median` × exp(3 × `sigma`).
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

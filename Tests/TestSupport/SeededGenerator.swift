/// Random numbers that a printed seed brings back (SplitMix64; Steele, Lea, Flood 2014).
public struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    /// The generator of this seed.
    public init(seed: UInt64) {
        state = seed
    }

    /// The next number.
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return splitMix64(state)
    }
}

/// SplitMix64's output function, a bijection that spreads every bit of its input.
func splitMix64(_ input: UInt64) -> UInt64 {
    var word = (input ^ (input >> 30)) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
    return word ^ (word >> 31)
}

import MountControl

/// A history, reduced to the number of steps that a chart can show.
struct Timeline {
    /// The bounds of the steps, in seconds since the start: one more than the number of steps.
    let edges: [Double]
    /// The last sample of each step.
    private let lastSamples: [Int]

    /// Divides the time of a history into steps.
    ///
    /// - Parameter stepCountMax: The most steps. They have about the same length.
    init(_ history: MountReport.History, stepCountMax: Int) {
        let total = history.seconds.last ?? 0
        // The last sample was taken at the request, perhaps just after the one before: too short an interval for a
        // rate.
        let length = max(total / Double(stepCountMax), 0.5 * Double(history.periodSeconds))
        var (edges, lastSamples) = ([0.0], [Int]())
        for (index, seconds) in history.seconds.enumerated() where seconds - edges[edges.count - 1] >= length {
            edges.append(seconds)
            lastSamples.append(index)
        }
        if lastSamples.isEmpty {
            edges.append(max(total, 0.001))
            lastSamples.append(history.seconds.count - 1)
        } else {
            // The remainder belongs to the last step.
            edges[edges.count - 1] = total
            lastSamples[lastSamples.count - 1] = history.seconds.count - 1
        }
        (self.edges, self.lastSamples) = (edges, lastSamples)
    }

    /// The number of steps.
    var stepCount: Int { lastSamples.count }

    /// Returns the growth of a count in each step.
    func increments(of column: [Int]) -> [Int] {
        var previous = 0
        return lastSamples.map { index in
            defer { previous = column[index] }
            return max(column[index] - previous, 0)
        }
    }

    /// Returns the growth of a count per second, for each step.
    func rates(of column: [Int]) -> [Double] {
        zip(increments(of: column), zip(edges, edges.dropFirst())).map { Double($0) / max($1.1 - $1.0, 0.001) }
    }

    /// Returns the highest value in each step.
    func peaks(of column: [Int]) -> [Int] {
        var first = 0
        return lastSamples.map { index in
            defer { first = index + 1 }
            return column[first...index].max() ?? 0
        }
    }
}

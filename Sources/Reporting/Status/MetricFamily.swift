/// A Prometheus metric with one or more samples per mount (prometheus.io, "Exposition formats", version 0.0.4).
struct MetricFamily {
    enum Kind: String {
        case counter
        case gauge
        case summary
    }

    /// One value.
    struct Sample {
        /// The suffix of the family's name: "_sum" and "_count" of a summary.
        var suffix = ""
        var labels: [(name: String, value: String)] = []
        let value: Double
    }

    let name: String
    let kind: Kind
    let help: String
    var samples: [Sample] = []

    /// The lines of the family; empty without samples.
    var text: String {
        if samples.isEmpty { return "" }
        let lines = samples.map { sample in
            "\(name)\(sample.suffix){\(sample.labels.map(MetricFamily.text).joined(separator: ","))} "
                + MetricFamily.text(sample.value)
        }
        return (["# HELP \(name) \(help)", "# TYPE \(name) \(kind.rawValue)"] + lines).map { $0 + "\n" }.joined()
    }

    private static func text(_ label: (name: String, value: String)) -> String {
        let value = label.value.unicodeScalars.map { scalar in
            switch scalar {
            case "\\": "\\\\"
            case "\"": "\\\""
            case "\n": "\\n"
            default: String(scalar)
            }
        }
        return "\(label.name)=\"\(value.joined())\""
    }

    /// Returns a value as text. Whole numbers have no decimal point, and are exact up to 2^53.
    private static func text(_ value: Double) -> String {
        Int(exactly: value).map { "\($0)" } ?? "\(value)"
    }
}

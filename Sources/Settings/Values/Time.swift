package import Namespace
import S3Client

/// A time in whole seconds: "30s", "15m", "12h", "7d".
package struct Time: OptionValue, CustomStringConvertible, Sendable {
    package static let form = "a time, such as 30s, 15m, 12h or 7d"
    package let secondCount: Int

    private static let units: KeyValuePairs<Character, Int> = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]

    package init(seconds: Int) {
        secondCount = seconds
    }

    package init?(argument: String) {
        guard let unit = Time.units.first(where: { $0.key == argument.last }), let count = Int(argument.dropLast()),
            count >= 0, case (let product, false) = count.multipliedReportingOverflow(by: unit.value)
        else { return nil }
        secondCount = product
    }

    package var duration: Duration { .seconds(secondCount) }

    package var description: String { "\(secondCount)s" }
}

/// The time for which listings are valid: a time, or "forever".
package struct MetadataLifetime: OptionValue, CustomStringConvertible, Sendable {
    package static let form = "a time, such as 30s, 15m, 12h or 7d, or \"forever\""
    package let timeToLive: TimeToLive
    package let description: String

    package init?(argument: String) {
        description = argument
        if argument == "forever" {
            timeToLive = .forever
        } else if let time = Time(argument: argument) {
            timeToLive = .limited(time.duration)
        } else {
            return nil
        }
    }

    package init(seconds: Int) {
        timeToLive = .limited(.seconds(seconds))
        description = "\(seconds)s"
    }
}

/// The time for which presigned URLs work: "6h", "7d", or, as in the AWS CLI, "3600".
package struct URLLifetime: OptionValue, CustomStringConvertible, Sendable {
    package static let form = "a time from 1s to 7d, such as 15m, 6h or 3600"
    /// The default of the AWS CLI.
    package static let standard = URLLifetime(secondCount: 3_600, description: "1h")

    package let secondCount: Int
    package let description: String

    private init(secondCount: Int, description: String) {
        self.secondCount = secondCount
        self.description = description
    }

    package init?(argument: String) {
        let text = Int(argument) == nil ? argument : argument + "s"
        guard let time = Time(argument: text), (1...S3Client.urlLifetimeMax).contains(time.secondCount) else {
            return nil
        }
        self.init(secondCount: time.secondCount, description: text)
    }
}

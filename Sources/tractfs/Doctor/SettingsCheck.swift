import S3Client
import SystemSupport

/// Whether options, environment and profile make sense together.
struct SettingsCheck: Check {
    let uri: String
    let options: StoreOptions
    let connectionLimit: Int
    let environment: [String: String]

    var name: CheckName { .settings }

    func run() -> CheckResult<StoreSettings> {
        do {
            let settings = try StoreSettings(uri, options, connectionLimit: connectionLimit, environment: environment)
            let place = settings.configuration.endpoint?.description ?? "AWS"
            let region = settings.configuration.region
            return CheckResult(
                .ok(
                    name, "\(settings.uri) at \(place), region \(region)",
                    values: [("uri", .string("\(settings.uri)")), ("region", .string(region))]), settings)
        } catch {
            return CheckResult(.failure(name, error), nil)
        }
    }
}

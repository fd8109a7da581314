import CommandOutput
import ObjectStore
import S3Client
import SystemSupport

/// The findings of one request to the store: one for each step of the connection, the store's clock, and the bucket's
/// region.
struct EndpointFindings {
    let report: EndpointReport
    let configuration: S3Configuration
    let environment: [String: String]

    // MARK: The way

    /// The finding on the address of the store's name.
    var name: Finding {
        step(.name, .name, done: "the address of \(target) is known")
    }

    /// The finding on the TCP connection.
    var connection: Finding {
        let peer = report.peer.map { ": \($0)" } ?? ""
        return step(.connection, .connection, done: "\(target) takes connections\(peer)")
    }

    /// The finding on TLS.
    var encryption: Finding {
        guard report.isEncrypted else {
            if report.isLoopback { return .skipped(.encryption, because: "the endpoint is http, on this machine") }
            if let broken = broken(before: .encryption) { return .skipped(.encryption, because: broken) }
            return .warning(
                .encryption, "the endpoint is http: others on the network can read the traffic",
                advice: "give --endpoint-url an https URL if there is one")
        }
        return step(.encryption, .encryption, done: "the certificate of \(report.host) is trusted")
    }

    /// The finding on the answer.
    var endpoint: Finding {
        step(
            .endpoint, .answer,
            done: "\(report.server) answers as S3 does\(report.proxy.map { ", through the proxy \($0)" } ?? "")")
    }

    private var target: String { report.proxy.map { "the proxy \($0)" } ?? report.host }

    /// Returns the finding on one step.
    private func step(_ check: CheckName, _ step: EndpointReport.Step, done: String) -> Finding {
        if let broken = broken(before: step) { return .skipped(check, because: broken) }
        if case .failure(let obstacle) = report.result, obstacle.step == step {
            return .failure(check, obstacle.message, advice: advice(on: obstacle))
        }
        let values = report.times[step].map { [("milliseconds", JSONObject.Value.real($0.milliseconds))] } ?? []
        return .ok(check, done, values: values)
    }

    /// Returns the reason for which there is no finding on a step; `nil` if there is one.
    private func broken(before step: EndpointReport.Step) -> String? {
        guard case .failure(let obstacle) = report.result, obstacle.step < step else { return nil }
        switch obstacle.step {
        case .name: return "the address isn't known"
        case .connection: return "there is no connection"
        case .encryption: return "there is no TLS connection"
        case .answer: return "the store gave no answer"
        }
    }

    private func advice(on obstacle: EndpointReport.Obstacle) -> String {
        switch obstacle.step {
        case .name:
            return configuration.endpoint == nil
                ? "check the network and its name servers, the region (\(configuration.region))\(proxyHint)"
                : "check the name in --endpoint-url, the network and its name servers\(proxyHint)"
        case .connection:
            return configuration.endpoint == nil
                ? "check that the network lets https out\(proxyHint)"
                : "check --endpoint-url, and that a server is running there\(proxyHint)"
        case .encryption where obstacle.isUntrustedCertificate:
            return "if the server or a proxy of your institution has a certificate of its own, give the one that "
                + "vouches for it with --ca-bundle"
        case .encryption:
            return "check that the endpoint speaks https\(proxyHint)"
        case .answer:
            return "check --endpoint-url, and whether a proxy or login page is in between\(proxyHint)"
        }
    }

    /// The advice on the variables for proxies.
    private var proxyHint: String {
        guard let proxy = report.proxy else {
            return report.isEncrypted && configuration.endpoint == nil
                ? "; behind a proxy set https_proxy" : ""
        }
        let names = ProxySettings.variables(forEncrypted: report.isEncrypted)
        let name = names.first { environment[$0]?.isEmpty == false } ?? "a proxy"
        return "; \(name) is set: check the proxy \(proxy), or except the server with no_proxy"
    }

    // MARK: The answer

    /// The tolerated difference of the clocks: an answer may take some seconds, and its time is cut to a second.
    private static let tolerableSeconds = 30
    /// The difference that S3 refuses ("RequestTimeTooSkewed").
    private static let refusedSeconds = 15 * 60

    /// The finding on the difference of the clocks.
    var clock: Finding {
        guard case .success(let answer) = report.result else {
            return .skipped(.clock, because: "the store gave no answer to compare with")
        }
        guard let time = answer.time else { return .skipped(.clock, because: "the store doesn't say what time it is") }
        let seconds = report.localTime.seconds - time.seconds
        let values = [("seconds_ahead", JSONObject.Value.number(seconds))]
        if abs(seconds) <= Self.tolerableSeconds {
            return .ok(.clock, "this machine's clock agrees with the store's", values: values)
        }
        let distance = "\(abs(seconds)) seconds \(seconds > 0 ? "ahead of" : "behind") the store's"
        let consequence =
            abs(seconds) > Self.refusedSeconds
            ? "tractfs corrects that, but AWS refuses others' requests, and credentials seem to end at another time"
            : "AWS refuses requests that are 15 minutes off"
        return .warning(
            .clock, "this machine's clock is \(distance) (\(consequence))",
            advice: "set the clock, with: sudo timedatectl set-ntp true", values: values)
    }

    /// The finding on the region of the bucket.
    var region: Finding {
        guard case .success(let answer) = report.result else {
            return .skipped(.region, because: "the store gave no answer")
        }
        let configured = configuration.region
        guard let region = answer.region else {
            return .ok(
                .region, "the store names none, requests are signed for \(configured)",
                values: [("configured", .string(configured))])
        }
        let values = [("configured", JSONObject.Value.string(configured)), ("found", .string(region))]
        if region == configured { return .ok(.region, "the bucket is in \(region)", values: values) }
        return .warning(
            .region, "the bucket is in \(region), not in \(configured), which each mount has to find out",
            advice: "give --region \(region)", values: values)
    }
}

extension Duration {
    /// The milliseconds, to the microsecond.
    var milliseconds: Double { (self / .microseconds(1)).rounded() / 1_000 }
}

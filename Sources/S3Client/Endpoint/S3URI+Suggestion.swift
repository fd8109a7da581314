import ObjectStore

extension S3URI {
    /// Returns the URI that was probably meant by another notation of a bucket, such as a browser's or another
    /// program's; `nil` if there is no likely one.
    static func suggestion(for text: String) -> String? {
        let candidate =
            rest(of: text, behind: ["s3://", "s3:/", "s3:", "s3a://", "s3n://", "arn:aws:s3:::"])
            ?? address(in: text) ?? (text.contains(":") || text.hasPrefix("/") || text.hasPrefix(".") ? nil : text)
        guard let candidate, let uri = try? S3URI(parsing: "s3://" + candidate.drop { $0 == "/" }),
            uri.bucket.hasPrefix(AccessPoint.prefix) || awsProblem(withBucket: uri.bucket) == nil
        else { return nil }
        // Without a "/" at the end that the user did not write.
        return uri.prefix.bytes.isEmpty ? "s3://\(uri.bucket)" : "\(uri)"
    }

    private static func rest(of text: String, behind schemes: [String]) -> String? {
        let lowercase = text.lowercased()
        return schemes.first(where: lowercase.hasPrefix).map { String(text.dropFirst($0.count)) }
    }

    /// Returns the bucket and key in the URL of an object, or of its page in the AWS console.
    private static func address(in text: String) -> String? {
        guard let address = rest(of: text, behind: ["https://", "http://"]) else { return nil }
        let host = address.prefix { $0 != "/" && $0 != "?" }.lowercased()
        let path = address.dropFirst(host.count).prefix { $0 != "?" && $0 != "#" }.drop { $0 == "/" }
        if host.hasSuffix("console.aws.amazon.com") {
            return rest(of: String(path), behind: ["s3/buckets/", "s3/object/"])
        }
        guard host.hasSuffix(".amazonaws.com") || host.hasSuffix(".amazonaws.com.cn") else { return nil }
        // A percent-encoded path is not the key.
        if path.contains("%") { return nil }
        // The bucket is in the path or in the host name.
        if host.hasPrefix("s3.") || host.hasPrefix("s3-") { return String(path) }
        guard let end = [".s3.", ".s3-", ".s3express-"].lazy.compactMap({ host.firstRange(of: $0) }).first else {
            return nil
        }
        return host[..<end.lowerBound] + "/" + path
    }
}

extension SettingsError {
    /// Creates the error for a text that is not the URI of a bucket, with a suggestion. A URL's query is not repeated,
    /// since it may contain a signature.
    static func noBucket(_ text: String) -> SettingsError {
        let shown = Excerpt.of(text.prefix { $0 != "?" }.utf8)
        let form = "\(shown) is not of the form s3://BUCKET[/PREFIX]"
        if let suggestion = S3URI.suggestion(for: text) {
            return SettingsError("\(form); did you mean \(Excerpt.of(suggestion.utf8))?")
        }
        if text.lowercased().hasPrefix("http") {
            return SettingsError("\(form); for a server that isn't AWS's, give its address with --endpoint-url")
        }
        return SettingsError(form)
    }
}

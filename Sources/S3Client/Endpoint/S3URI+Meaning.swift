import ObjectStore

extension S3URI {
    /// What somebody meant who named a bucket in another way, as a browser or another program has it; `nil` where that can be anything.
    static func meaning(of text: String) -> String? {
        let candidate =
            rest(of: text, behind: ["s3://", "s3:/", "s3:", "s3a://", "s3n://", "arn:aws:s3:::"])
            ?? address(in: text) ?? (text.contains(":") || text.hasPrefix("/") || text.hasPrefix(".") ? nil : text)
        guard let candidate, let uri = try? S3URI(parsing: "s3://" + candidate.drop { $0 == "/" }),
            uri.bucket.hasPrefix(AccessPoint.prefix) || awsProblem(withBucket: uri.bucket) == nil
        else { return nil }
        // As it was written, without a "/" that wasn't.
        return uri.prefix.bytes.isEmpty ? "s3://\(uri.bucket)" : "\(uri)"
    }

    private static func rest(of text: String, behind schemes: [String]) -> String? {
        let lowercase = text.lowercased()
        return schemes.first(where: lowercase.hasPrefix).map { String(text.dropFirst($0.count)) }
    }

    /// Bucket and key in the URL of an object, or of its bucket's page in the console.
    private static func address(in text: String) -> String? {
        guard let address = rest(of: text, behind: ["https://", "http://"]) else { return nil }
        let host = address.prefix { $0 != "/" && $0 != "?" }.lowercased()
        let path = address.dropFirst(host.count).prefix { $0 != "?" && $0 != "#" }.drop { $0 == "/" }
        if host.hasSuffix("console.aws.amazon.com") {
            return rest(of: String(path), behind: ["s3/buckets/", "s3/object/"])
        }
        guard host.hasSuffix(".amazonaws.com") || host.hasSuffix(".amazonaws.com.cn") else { return nil }
        // What is encoded in a URL isn't in the key.
        if path.contains("%") { return nil }
        // The bucket stands in the path, or in front of the host.
        if host.hasPrefix("s3.") || host.hasPrefix("s3-") { return String(path) }
        guard let end = [".s3.", ".s3-", ".s3express-"].lazy.compactMap({ host.firstRange(of: $0) }).first else {
            return nil
        }
        return host[..<end.lowerBound] + "/" + path
    }
}

extension SettingsError {
    /// That something is no URI of a bucket, with what was probably meant. Nothing of a URL's query is repeated: there may be a signature in it.
    static func noBucket(_ text: String) -> SettingsError {
        let shown = Excerpt.of(text.prefix { $0 != "?" }.utf8)
        let form = "\(shown) is not of the form s3://BUCKET[/PREFIX]"
        if let meaning = S3URI.meaning(of: text) {
            return SettingsError("\(form); did you mean \(Excerpt.of(meaning.utf8))?")
        }
        if text.lowercased().hasPrefix("http") {
            return SettingsError("\(form); for a server that isn't AWS's, give its address with --endpoint-url")
        }
        return SettingsError(form)
    }
}

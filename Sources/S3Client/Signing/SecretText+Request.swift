extension SecretText {
    /// What nobody but the service may see of a request.
    ///
    /// - Parameters:
    ///   - headers: Those of the signed request.
    ///   - credentials: What it was signed with.
    init(_ headers: [HTTPHeader], of credentials: Credentials?) {
        let authorization = headers.first { $0.name == "Authorization" }?.value
        let signature = authorization?.firstRange(of: "Signature=")?.lowerBound
        let key = headers.first { $0.name == CustomerKey.headerName }?.value
        self.init(
            [
                signature.flatMap { authorization?[$0...] }.map(String.init), key, credentials?.secretAccessKey,
                credentials?.sessionToken, credentials.map { "Credential=\($0.accessKeyID)" },
                credentials?.accessKeyID,
            ], phrases: [authorization])
    }
}

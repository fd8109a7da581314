extension SecretText {
    /// The parts of a request that only the service may see.
    ///
    /// - Parameters:
    ///   - headers: The headers of the signed request.
    ///   - credentials: The credentials that the request was signed with.
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

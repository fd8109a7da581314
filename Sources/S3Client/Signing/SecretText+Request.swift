extension SecretText {
    /// What nobody but the service may see of a request.
    ///
    /// - Parameters:
    ///   - headers: Those of the signed request.
    ///   - credentials: What it was signed with.
    init(_ headers: [HTTPHeader], of credentials: Credentials?) {
        let authorization = headers.first { $0.name == "Authorization" }?.value
        let signature = authorization?.firstRange(of: "Signature=").map {
            String(authorization?[$0.upperBound...] ?? "")
        }
        let key = headers.first { $0.name == CustomerKey.headerName }?.value
        self.init(
            [signature, key, credentials?.secretAccessKey, credentials?.sessionToken, credentials?.accessKeyID],
            phrases: [authorization])
    }
}

internal import CCurl
import Glibc

/// The certificates of certification authorities that the system provides.
enum SystemCertificates {
    /// The files of the distributions.
    static let paths = [
        "/etc/ssl/certs/ca-certificates.crt",  // Debian, Ubuntu, Arch, Gentoo
        "/etc/pki/tls/certs/ca-bundle.crt",  // Fedora, Red Hat, Amazon Linux
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // Red Hat without the link above
        "/etc/ssl/ca-bundle.pem",  // SUSE
        "/etc/ssl/cert.pem",  // Alpine
    ]

    /// Makes a transfer trust the certificates in the file `bundle`, or those of the system if it is `nil`: for the
    /// store and for a proxy that is reached by HTTPS.
    static func trust(_ bundle: String?, in easy: UnsafeMutableRawPointer) {
        guard let file = bundle ?? file else { return }
        for option in [CURLOPT_CAINFO, CURLOPT_PROXY_CAINFO] { _ = tractfs_easy_set_string(easy, option, file) }
    }

    /// The file to give to libcurl; `nil` for its own default. A program from another distribution brings a libcurl
    /// whose default may not exist here.
    private static let file = tractfs_certificate_path().flatMap { file(insteadOf: String(cString: $0)) }

    /// Returns the first existing file of `paths`; `nil` if `standard` exists, or none does.
    static func file(insteadOf standard: String, among paths: [String] = paths) -> String? {
        func exists(_ path: String) -> Bool { access(path, R_OK) == 0 }
        return exists(standard) ? nil : paths.first(where: exists)
    }
}

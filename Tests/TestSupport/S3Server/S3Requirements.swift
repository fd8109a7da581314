import Glibc
import ObjectStore
import SystemSupport

/// What a request must have to be answered, where a test says so.
struct S3Requirements: Sendable {
    /// The access key id that it is signed by.
    var accessKeyID: String?
    /// How far the server's clock is ahead of this machine's; a request may differ from it by 15 minutes.
    var clockOffsetSeconds: Int?
    /// The key that the objects are encrypted with.
    var customerKey: S3CustomerKey?

    private static let skewLimitSeconds = 900

    /// What the server's clock says; `nil` where the test doesn't mind.
    var time: Timestamp? {
        clockOffsetSeconds.map { Timestamp(seconds: Glibc.time(nil) + $0) }
    }

    /// Why the request is not answered, as S3 says it.
    func refusal(of request: S3Request) -> S3Response? {
        accessRefusal(of: request) ?? clockRefusal(of: request)
            ?? (request.kind == .get ? customerKey?.refusal(of: request) : nil)
    }

    private func accessRefusal(of request: S3Request) -> S3Response? {
        guard let accessKeyID else { return nil }
        guard let given = request.accessKeyID else { return .error(403, "AccessDenied", "Access Denied") }
        guard given == accessKeyID else {
            return .error(
                403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
        }
        return nil
    }

    private func clockRefusal(of request: S3Request) -> S3Response? {
        guard let time else { return nil }
        guard let signed = request.time, abs(signed.seconds - time.seconds) <= Self.skewLimitSeconds else {
            return .error(
                403, "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.")
        }
        return nil
    }
}

/// A key of the bucket's user's own (SSE-C), in Base64 as it is sent.
public struct S3CustomerKey: Sendable {
    /// The 32 bytes.
    let key: String
    /// The 16 bytes of the key's MD5.
    let md5: String

    /// A key; the test knows its MD5, so that nothing computes it the way the client does.
    public init(key: String, md5: String) {
        self.key = key
        self.md5 = md5
    }

    /// Why the request gets no bytes ("Using server-side encryption with customer-provided keys" in the Amazon S3 User
    /// Guide).
    fileprivate func refusal(of request: S3Request) -> S3Response? {
        let prefix = "x-amz-server-side-encryption-customer-"
        guard let given = request.headers[prefix + "key"] else {
            return .error(
                400, "InvalidRequest",
                "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object."
            )
        }
        guard request.headers[prefix + "algorithm"] == "AES256" else {
            return .error(400, "InvalidEncryptionAlgorithmError", "The encryption request you specified is not valid.")
        }
        guard given == key else { return .error(403, "AccessDenied", "Access Denied") }
        guard request.headers[prefix + "key-md5"] == md5 else {
            return .error(
                400, "InvalidArgument", "The calculated MD5 hash of the key did not match the hash that was provided.")
        }
        return nil
    }
}

extension S3Request {
    /// When it was signed.
    fileprivate var time: Timestamp? {
        guard let digits = headers["x-amz-date"]?.filter(\.isNumber), digits.count == 14 else { return nil }
        func number(_ start: Int, _ count: Int) -> Int32 { Int32(digits.dropFirst(start).prefix(count)) ?? 0 }
        var fields = tm()
        (fields.tm_year, fields.tm_mon, fields.tm_mday) = (number(0, 4) - 1_900, number(4, 2) - 1, number(6, 2))
        (fields.tm_hour, fields.tm_min, fields.tm_sec) = (number(8, 2), number(10, 2), number(12, 2))
        return Timestamp(seconds: timegm(&fields))
    }
}

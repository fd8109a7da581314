import ObjectStore
import SystemSupport

/// The validators in the first response for each object that has no ETag in its listing. All later responses for that
/// object must agree with them.
struct FirstValidators {
    /// The fields of a response that tell one version of an object from another.
    struct Validators: Equatable {
        var etag: ETag?
        var lastModified: Timestamp?
    }

    /// The maximum number of objects, which takes about 5 MB. Beyond it an arbitrary object is dropped; size and time
    /// still tell its versions apart.
    private static let countMax = 16_384

    private var validators: [ObjectVersion: Validators] = [:]

    /// Returns the validators that are known of an object.
    func validators(of object: ObjectVersion) -> Validators? { validators[object] }

    /// Compares a response with the first one for the object, and adds the fields that the first one lacked.
    ///
    /// - Returns: `false` if the two responses are of different versions.
    mutating func record(_ new: Validators, of object: ObjectVersion) -> Bool {
        guard let first = validators[object] else {
            if validators.count >= Self.countMax, let other = validators.keys.first { validators[other] = nil }
            validators[object] = new
            return true
        }
        guard Self.agree(first.etag, new.etag), Self.agree(first.lastModified, new.lastModified) else { return false }
        validators[object] = Validators(
            etag: first.etag ?? new.etag, lastModified: first.lastModified ?? new.lastModified)
        return true
    }

    private static func agree<Value: Equatable>(_ first: Value?, _ other: Value?) -> Bool {
        first == nil || other == nil || first == other
    }
}

/// S3's storage classes in a byte. Almost every entry has one of them ("StorageClass" in "Object", Amazon S3 API
/// Reference).
///
/// The numbers are written to disk: new ones go behind the last.
enum StorageClassCode: UInt8, CaseIterable {
    case standard, reducedRedundancy, glacier, standardIA, oneZoneIA, intelligentTiering, deepArchive, outposts
    case glacierIR, snow, expressOneZone, fsxOpenZFS, fsxOntap

    /// S3's name of the class.
    var text: String {
        switch self {
        case .standard: "STANDARD"
        case .reducedRedundancy: "REDUCED_REDUNDANCY"
        case .glacier: "GLACIER"
        case .standardIA: "STANDARD_IA"
        case .oneZoneIA: "ONEZONE_IA"
        case .intelligentTiering: "INTELLIGENT_TIERING"
        case .deepArchive: "DEEP_ARCHIVE"
        case .outposts: "OUTPOSTS"
        case .glacierIR: "GLACIER_IR"
        case .snow: "SNOW"
        case .expressOneZone: "EXPRESS_ONEZONE"
        case .fsxOpenZFS: "FSX_OPENZFS"
        case .fsxOntap: "FSX_ONTAP"
        }
    }

    /// The class with this name; `nil` for one that S3 doesn't define yet.
    init?(_ text: String) {
        if text == StorageClassCode.standard.text {
            self = .standard
        } else if let code = StorageClassCode.allCases.first(where: { $0.text == text }) {
            self = code
        } else {
            return nil
        }
    }
}

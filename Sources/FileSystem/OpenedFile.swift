public import BlockCache
import ObjectStore
import Reader

extension FileSystem {
    /// A file that was opened.
    public struct OpenedFile: Sendable {
        /// The handle. It must be closed even if the reply can't be sent.
        public let handle: Handle
        /// A file on the local disk to read instead; `nil` if there is none, or if the caller can't use one.
        public let localFile: CompleteFile?
    }

    /// Requests the local file of an object that is being opened, like `ObjectReader.localFile`.
    typealias LocalFileSource =
        @Sendable (ObjectReader, @escaping @Sendable (Result<CompleteFile?, StoreError>) -> Void) -> ParkedRead?
}

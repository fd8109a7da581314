public import BlockCache
import ObjectStore
import Reader

extension FileSystem {
    /// A file that was opened.
    public struct OpenedFile: Sendable {
        /// What it is read by. To be closed, also where nobody hears of it.
        public let handle: Handle
        /// A file on the local disk that reads may go to instead, if that was asked for and there is one.
        public let localFile: CompleteFile?
    }

    /// Asks for the local file of an object that is being opened, as `ObjectReader.localFile` does.
    typealias LocalFileSource =
        @Sendable (ObjectReader, @escaping @Sendable (Result<CompleteFile?, StoreError>) -> Void) -> ParkedRead?
}

import CLinux
public import struct SystemPackage.FileDescriptor

/// The properties of a terminal.
public enum Terminal {
    /// Returns the number of columns of the terminal `descriptor`; `nil` if it isn't a terminal or its width is
    /// unknown.
    public static func columnCount(_ descriptor: FileDescriptor) -> Int? {
        let count = tractfs_terminal_width(descriptor.rawValue)
        return count > 0 ? Int(count) : nil
    }
}

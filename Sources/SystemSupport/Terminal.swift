import CLinux
public import struct SystemPackage.FileDescriptor

/// What is known of a terminal.
public enum Terminal {
    /// How many columns the terminal has that `descriptor` is; `nil` where it is none, or doesn't say.
    public static func columnCount(_ descriptor: FileDescriptor) -> Int? {
        let count = tractfs_terminal_width(descriptor.rawValue)
        return count > 0 ? Int(count) : nil
    }
}

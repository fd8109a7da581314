import ArgumentParser
import Glibc
import Settings

/// The command line of mount(8) for the type "tractfs", under another program name:
/// `mount.tractfs SOURCE FOLDER [-sfnv] [-N NAMESPACE] [-o OPTIONS] [-t TYPE]` ("External helpers" in mount(8)).
struct MountHelper {
    /// The program name, which mount(8) searches for in /sbin.
    static let name = "mount.tractfs"

    /// `true` if this process was started under that name. The processes of a mount keep the name, but have the
    /// arguments of `tractfs mount`.
    static var isCalled: Bool {
        let arguments = CommandLine.arguments
        return arguments.first?.split(separator: "/").last.map(String.init) == name
            && arguments.dropFirst().first != "mount"
    }

    /// Returns the exit status of a failed helper (mount(8), "Exit status"), in which usual values have other meanings.
    static func exitStatus(isUsageError: Bool) -> CInt { isUsageError ? 1 : 32 }

    /// `true` to check the arguments without mounting (-f).
    private(set) var isFake = false
    /// `true` to ignore unknown options (-s).
    private var isSloppy = false
    /// `true` to print a line about the mount (-v).
    private var isVerbose = false
    private var options: [String] = []
    private var operands: [String] = []

    private static let usage =
        "\(name) is called by mount(8): mount -t tractfs -o OPTION,... s3://BUCKET[/PREFIX] FOLDER; "
        + "\"tractfs mount\" is for people, see tractfs mount --help"

    /// Parses the arguments of mount(8).
    ///
    /// - Parameter arguments: Without the program's name.
    init(_ arguments: [String]) throws(ValidationError) {
        var iterator = arguments.makeIterator()
        while let argument = iterator.next() {
            guard argument.hasPrefix("-"), argument.count > 1 else {
                operands.append(argument)
                continue
            }
            var letters = argument.dropFirst()
            while let letter = letters.popFirst() {
                if !"oNt".contains(letter) {
                    try take(letter)
                    continue
                }
                guard let value = letters.isEmpty ? iterator.next() : String(letters) else {
                    throw ValidationError("-\(letter) needs a value; \(Self.usage)")
                }
                try take(letter, value)
                break
            }
        }
        if operands.count != 2 { throw ValidationError(Self.usage) }
    }

    private mutating func take(_ letter: Character) throws(ValidationError) {
        switch letter {
        case "f": isFake = true
        case "s": isSloppy = true
        case "v": isVerbose = true
        // tractfs never writes /etc/mtab.
        case "n": break
        default: throw ValidationError("-\(letter) is no option of a mount helper; \(Self.usage)")
        }
    }

    private mutating func take(_ letter: Character, _ value: String) throws(ValidationError) {
        switch letter {
        case "o": options.append(value)
        case "N":
            throw ValidationError(
                "-N: another mount namespace isn't entered from here; run mount in it: nsenter --mount=NAMESPACE mount …"
            )
        // The type is always ours.
        default: break
        }
    }

    /// Returns the arguments for `tractfs`, without "-o".
    func arguments() throws(ValidationError) -> [String] {
        try FstabOptions.expand(
            operands + ["-o", options.joined(separator: ",")], options: .ofMount, isSloppy: isSloppy, isShort: true)
    }

    /// Checks the settings of `command`, parsed from these arguments, without mounting.
    func check(_ command: any ParsableCommand) throws {
        if let mount = command as? MountCommand { _ = try MountSettings(mount) }
    }

    /// Prints a line about the mount if requested.
    func printMounted() {
        if isVerbose { print("\(Self.name): \(operands[0]) is mounted on \(operands[1])") }
    }
}

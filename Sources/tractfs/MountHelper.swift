import ArgumentParser
import Glibc
import Settings

/// This program as mount(8) calls it for the type "tractfs", by another name and with arguments of its own:
/// `mount.tractfs SOURCE FOLDER [-sfnv] [-N NAMESPACE] [-o OPTIONS] [-t TYPE]` ("External helpers" in mount(8)).
struct MountHelper {
    /// The name that mount(8) looks for in /sbin.
    static let name = "mount.tractfs"

    /// Whether this process was called by that name; not where it was started by another one of the same mount, under the same
    /// name and with the arguments of `tractfs`.
    static var isCalled: Bool {
        let arguments = CommandLine.arguments
        return arguments.first?.split(separator: "/").last.map(String.init) == name
            && arguments.dropFirst().first != "mount"
    }

    /// How a helper ends that has failed (mount(8), "Exit status"): a program's usual ones mean something else there.
    static func exitStatus(isUsageError: Bool) -> CInt { isUsageError ? 1 : 32 }

    /// Only look whether it could be mounted, as far as that is seen without trying (-f).
    private(set) var isFake = false
    /// Pass over options that nobody knows (-s).
    private var isSloppy = false
    /// Say what is mounted (-v).
    private var isVerbose = false
    private var options: [String] = []
    private var operands: [String] = []

    private static let usage =
        "\(name) is called by mount(8): mount -t tractfs -o OPTION,... s3://BUCKET[/PREFIX] FOLDER; "
        + "\"tractfs mount\" is for people, see tractfs mount --help"

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
                    throw ValidationError("-\(letter) needs something behind it; \(Self.usage)")
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
        // There is no /etc/mtab that we would write.
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
        // The type, which is ours.
        default: break
        }
    }

    /// The same for `tractfs`, without "-o".
    func arguments() throws(ValidationError) -> [String] {
        try FstabOptions.expand(
            operands + ["-o", options.joined(separator: ",")], options: .ofMount, isSloppy: isSloppy, isShort: true)
    }

    /// Looks whether `command`, parsed from these arguments, could mount, as far as that is seen without trying.
    func check(_ command: any ParsableCommand) throws {
        if let mount = command as? MountCommand { _ = try MountSettings(mount) }
    }

    /// Says what is mounted, to who wants to know.
    func tellMounted() {
        if isVerbose { print("\(Self.name): \(operands[0]) is mounted on \(operands[1])") }
    }
}

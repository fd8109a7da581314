internal import CFuzzer
import Glibc

/// libFuzzer, with one of the targets: `Fuzzers TARGET [libFuzzer's arguments]`, or `Fuzzers` for their names.
@main enum Fuzzers {
    nonisolated(unsafe) private static var target: FuzzTarget?

    static func main() {
        let name = CommandLine.arguments.dropFirst().first
        guard let found = FuzzTarget.all.first(where: { $0.name == name }) else {
            for target in FuzzTarget.all { print(target.name) }
            exit(name == nil ? 0 : 2)
        }
        target = found
        var argumentCount = CommandLine.argc - 1
        // libFuzzer takes the first for the program's name.
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv + 1
        exit(LLVMFuzzerRunDriver(&argumentCount, &arguments, check))
    }

    private static let check: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt = { data, byteCount in
        do {
            try target?.check(Array(UnsafeBufferPointer(start: data, count: byteCount)))
        } catch {
            fatalError("\(error)")
        }
        return 0
    }
}

import Foundation
import ObjectStore
import TestSupport

/// A machine for the commands of the documentation: this one's files with a temporary layer above them, a user's home,
/// a stand-in for the HCP in place of AWS, and processes of its own, which end with it.
final class DocumentationMachine {
    /// The keys of ConnectomeDB on this machine.
    static let accessKeyID = "AKIADOCUMENTATION001"
    static let secretAccessKey = "documentationSecret/abcdefghijklmnopqrst"
    static let home = "/home/you"
    /// A clone of the repository, which is the working directory.
    private static let clone = home + "/tractfs"

    private let directory: String
    private let endpointURL: String
    /// A process in it.
    private let keeper: BackgroundProcess
    private let keeperID: String
    private var runCount = 0

    /// Makes one, and takes it away whatever `body` does.
    ///
    /// - Parameter hasProfile: Whether its user has the profile "hcp" already.
    static func with(hasProfile: Bool, _ body: (DocumentationMachine) throws -> Void) throws {
        try withS3TestServer(bucket: "hcp-openaccess") { server in
            server.require(accessKeyID: accessKeyID)
            for (key, body) in try tree.get() { server.put(key, body) }
            try withTemporaryDirectory { directory in
                let machine = try DocumentationMachine(directory: directory, endpointURL: server.endpointURL)
                defer { machine.end() }
                if hasProfile { try machine.writeProfile(profile) }
                try body(machine)
            }
        }
    }

    /// The stand-in, with valid files where nibabel is there to make them.
    private static let tree = Result {
        try withTemporaryDirectory { directory in
            try runChecked(pythonExecutable(), [packageRoot + "/Tests/MountTests/documentation_tree.py", directory])
            let paths = FileManager.default.enumerator(atPath: directory)?.allObjects as? [String] ?? []
            return try paths.sorted().compactMap { path -> (Key, ObjectBody)? in
                var isFolder: ObjCBool = false
                let file = directory + "/" + path
                guard FileManager.default.fileExists(atPath: file, isDirectory: &isFolder), !isFolder.boolValue else {
                    return nil
                }
                return (Key(path), .bytes([UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))))
            }
        }
    }

    private static let profile = [
        "[hcp]", "aws_access_key_id = YOUR_KEY_ID", "aws_secret_access_key = YOUR_SECRET_KEY",
    ]

    private init(directory: String, endpointURL: String) throws {
        self.directory = directory
        self.endpointURL = endpointURL
        let keeper = try BackgroundProcess(
            "unshare",
            ["--mount", "--pid", "--fork", "--kill-child", "bash", "-c", Self.layer]
                + [directory, packageRoot, tractfsExecutable()],
            outputDirectory: directory)
        try eventually("the machine to be there: \(keeper.errorOutput)") {
            guard keeper.isRunning else { throw CommandFailure(description: "no machine: \(keeper.errorOutput)") }
            return keeper.output.hasSuffix("ready\n")
        }
        self.keeper = keeper
        keeperID = keeper.output.split(separator: "\n").first.map(String.init) ?? ""
    }

    /// Ends all processes in it, which go with the first of their namespace.
    private func end() {
        if let first = pid_t(keeperID) { kill(first, SIGKILL) }
        keeper.end()
    }

    /// Arguments: the folder to work in, the package's, and the program. The last process is the first of its
    /// namespace, and has to take orphans.
    private static let layer = #"""
        set -e
        umount --all --lazy --types fuse.tractfs 2> /dev/null || true
        read -r id rest < /proc/self/stat
        cd "$0"
        mkdir layer root
        mount -t tmpfs none layer
        mkdir layer/upper layer/work
        mount -t overlay -o "lowerdir=/,upperdir=layer/upper,workdir=layer/work" none root
        for folder in /dev /sys /tmp "$1"; do
            mkdir -p "root$folder"
            mount --rbind "$folder" "root$folder"
        done
        mkdir -p root/var/tmp
        mount -t proc none root/proc
        for folder in /mnt /nvme /scratch /home/you /var/cache/tractfs /var/lib/prometheus/node-exporter; do mkdir -p "root$folder"; done
        mount -t tmpfs none root/home/you
        mount -t tmpfs none root/mnt
        mount -t tmpfs none root/var/cache
        mount -t tmpfs none root/nvme
        mount -t tmpfs none root/scratch
        mkdir -p root/home/you/tractfs/.build/release root/home/you/out
        ln -s "$2" root/home/you/tractfs/.build/release/tractfs
        for name in docs packaging scripts; do ln -s "$1/$name" root/home/you/tractfs; done
        for program in /usr/bin/tractfs /usr/local/bin/tractfs /usr/sbin/mount.tractfs; do ln -sf "$2" "root$program"; done
        rm -rf root/root/.aws
        ln -s /home/you/.aws root/root/.aws
        printf '#!/bin/sh\nexec "$@"\n' > root/usr/local/bin/sudo
        printf '%s\n' '#!/bin/sh -e' 'mkdir -p /mnt/hcp' \
            'mountpoint -q /mnt/hcp || tractfs mount s3://hcp-openaccess/HCP_1200/ /mnt/hcp --profile hcp' > root/usr/local/bin/mount-hcp
        chmod 755 root/usr/local/bin/sudo root/usr/local/bin/mount-hcp
        exec chroot root bash -c 'echo "$0"; echo ready; while true; do sleep 3600 & wait "$!"; done' "$id"
        """#

    private var environment: [String] {
        let python = URL(fileURLWithPath: pythonExecutable()).deletingLastPathComponent().path
        return [
            "HOME=\(Self.home)", "USER=root", "LOGNAME=root", "LC_ALL=C.UTF-8", "TERM=xterm",
            "PATH=/usr/local/sbin:/usr/local/bin:\(python):/usr/sbin:/usr/bin:/sbin:/bin",
            "PYTHONPATH=\(packageRoot)/python",
            "AWS_ENDPOINT_URL=\(endpointURL)", "AWS_EC2_METADATA_DISABLED=true",
        ]
    }

    /// Runs a script of bash, and gives what it ended with.
    func run(script: String, program: String = "bash") throws -> CommandResult {
        runCount += 1
        let file = "\(directory)/script-\(runCount)"
        try script.write(toFile: file, atomically: false, encoding: .utf8)
        return try TestSupport.run(
            "nsenter",
            [
                "--target", keeperID, "--mount", "--pid", "--root", "--wd", "--", "env", "--ignore-environment",
                "--chdir=" + Self.clone,
            ]
                + environment
                + [program, file],
            timeout: .seconds(120))
    }

    /// Returns `true` if the machine has a program, a module of python ("python MODULE") or a kernel that is new enough
    /// ("Linux 6.9").
    func has(_ need: String) throws -> Bool {
        let words = need.split(separator: " ").map(String.init)
        let script =
            switch words.first {
            case "python": "python3 -c 'import \(words.last ?? "")'"
            case "Linux": "printf '%s\\n' '\(words.last ?? "")' \"$(uname -r)\" | sort --check --version-sort"
            default: "command -v '\(need)'"
            }
        return try run(script: script).status == 0
    }

    /// Returns the output as it would be for a user who is not root and whose store is AWS.
    func asShown(_ printed: String) -> String {
        printed.replacing("/var/cache/tractfs", with: Self.home + "/.cache/tractfs")
            .replacing(" (\(endpointURL))", with: "")
    }

    /// Writes ~/.aws/credentials as the page has it, with this machine's keys.
    func writeProfile(_ lines: [String]) throws {
        let text = lines.joined(separator: "\n").replacing("YOUR_KEY_ID", with: Self.accessKeyID)
            .replacing("YOUR_SECRET_KEY", with: Self.secretAccessKey)
        try write(text, to: "~/.aws/credentials")
    }

    /// Writes a file, and makes the folders that it is in.
    func write(_ text: String, to path: String) throws {
        let script = "mkdir -p \"$(dirname \(path))\"\ncat > \(path) <<'END-OF-FILE'\n\(text)\nEND-OF-FILE\n"
        let result = try run(script: script)
        guard result.status == 0 else { throw CommandFailure(description: "\(path): \(result.errorOutput)") }
    }
}

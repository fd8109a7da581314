import Foundation
import Settings
import Testing
import TestSupport

@testable import tractfs

@Suite struct PackageTests {
    @Test func `The package has every file where Debian 12 expects it, owned by root`() throws {
        let package = try MadePackage.made()
        let list = try runChecked("dpkg-deb", ["--contents", package.package])
        for path in [
            "usr/bin/tractfs", "usr/sbin/mount.tractfs -> ../bin/tractfs", "usr/lib/systemd/system/tractfs@.service",
            "etc/logrotate.d/tractfs", "usr/share/man/man1/tractfs.1.gz", "usr/share/man/man8/mount.tractfs.8.gz",
            "usr/share/bash-completion/completions/tractfs", "usr/share/zsh/vendor-completions/_tractfs",
            "usr/share/fish/vendor_completions.d/tractfs.fish", "usr/share/doc/tractfs/copyright",
            "usr/share/doc/tractfs/changelog.Debian.gz", "usr/share/doc/tractfs/DEPLOYMENT.md",
            "usr/share/doc/tractfs/examples/tractfs.conf.example",
        ] {
            #expect(list.contains("./\(path)\n"), "\(path)")
        }
        #expect(list.split(separator: "\n").allSatisfy { $0.contains(" root/root ") })
        #expect(try package.text(of: "DEBIAN/conffiles") == "/etc/logrotate.d/tractfs\n")
        try runChecked("md5sum", ["--check", "--quiet", "DEBIAN/md5sums"], directory: package.root)
        for script in ["postinst", "postrm"] { try runChecked("sh", ["-n", "\(package.root)/DEBIAN/\(script)"]) }
    }

    @Test func `The package depends on the libraries that the program needs, and on the programs it starts`() throws {
        let package = try MadePackage.made()
        let depends = try package.field("Depends")
        for name in ["libcurl4", "libfuse3-3", "libsqlite3-0", "libexpat1", "libc6 (>=", "fuse3", "ca-certificates"] {
            #expect(depends.contains(name), "\(name) in \(depends)")
        }
        // The program under test has no static Swift libraries, and the package says so.
        #expect(package.errorOutput.contains("--static-swift-stdlib"))
    }

    @Test func `The package has the version of the program`() throws {
        let version = try MadePackage.made().field("Version")
        #expect(version.hasPrefix(Tractfs.version) && version.hasSuffix("-1"), "\(version)")
    }

    @Test func `The package names the license of each package that is linked in`() throws {
        let copyright = try MadePackage.made().text(of: "usr/share/doc/tractfs/copyright")
        let manifest = try String(contentsOfFile: packageRoot + "/Package.swift", encoding: .utf8)
        let names = manifest.matches(of: /package\(url: "[^"]*\/([^"\/]+)"/).map { String($0.output.1) }
        #expect(names.count > 5)
        // Only tests have a server.
        for name in names where name != "swift-nio" {
            #expect(copyright.contains(try Regex("Files: \(name)/\\*\nCopyright: .+\nLicense: ")), "\(name)")
        }
        let named = Set(copyright.matches(of: #/\nLicense: (.+)\n(?! )/#).map { String($0.output.1) })
        let explained = Set(copyright.matches(of: #/\nLicense: (.+)\n /#).map { String($0.output.1) })
        #expect(named.isSubset(of: explained), "\(named.subtracting(explained))")
    }

    @Test func `The package exists as a tarball too`() throws {
        let list = try runChecked("tar", ["--list", "--verbose", "--file", try MadePackage.made().tarball])
        for path in [
            "bin/tractfs", "sbin/mount.tractfs -> ../bin/tractfs", "share/man/man1/tractfs-mount.1.gz",
            "share/zsh/site-functions/_tractfs", "lib/systemd/system/tractfs@.service", "LICENSE", "README.md",
            "INSTALL",
            "share/doc/tractfs/examples/logrotate",
        ] {
            #expect(
                list.contains(try Regex("root/root .* tractfs-\(Tractfs.version)[^/]*-linux-[^/]*/\(path)\n")),
                "\(path)")
        }
    }

    @Test(
        "scripts/package refuses wrong arguments, and says how to give them",
        arguments: [["--unknown"], ["--program", "/nonexistent"], ["--output", "/dev/null"], ["file"]])
    func usage(arguments: [String]) throws {
        let result = try run(packageRoot + "/scripts/package", arguments)
        #expect(result.status == 2)
        let message = result.errorOutput.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(
            message.contains(
                "usage: package [-h] [--program FILE] [--output DIR] [--portable] [--wheel] [--rpm] [--quick]"))
    }
}

@Suite struct ManualTests {
    @Test func `The manual has a page for each command, and for the mount helper`() throws {
        let package = try MadePackage.made()
        #expect(try package.pages(inSection: 1) == MadePackage.pages().sorted())
        #expect(try package.pages(inSection: 8) == ["mount.tractfs.8"])
    }

    @Test func `The pages of the manual are valid mdoc, and refer to pages that exist`() throws {
        let package = try MadePackage.made()
        let all = try package.pages(inSection: 1) + package.pages(inSection: 8)
        for page in all {
            let section = page.suffix(1)
            let source = try package.text(of: "usr/share/man/man\(section)/\(page).gz")
            try withTemporaryDirectory { directory in
                try source.write(toFile: "\(directory)/\(page)", atomically: false, encoding: .utf8)
                // Other packages' manual pages may or may not be installed here.
                let complaints = try run("mandoc", ["-Tlint", page], directory: directory).output
                    .split(separator: "\n").filter { !$0.contains("referenced manual not found") }
                #expect(complaints.isEmpty, "\(complaints.joined(separator: "\n"))")
            }
            for match in source.matches(of: /\.(?:It )?Xr ((?:mount\.)?tractfs[a-z-]*) (\d)/) {
                #expect(all.contains("\(match.output.1).\(match.output.2)"), "\(match.output.0) in \(page)")
            }
            for title in ["NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "SEE ALSO"] {
                #expect(source.contains(".Sh \(title)\n"), "\(title) in \(page)")
            }
        }
    }

    @Test func `The manual explains every option of mount, on the command line and for -o`() throws {
        let package = try MadePackage.made()
        let mount = try package.text(of: "usr/share/man/man1/tractfs-mount.1.gz")
        let helper = try package.text(of: "usr/share/man/man8/mount.tractfs.8.gz")
        for option in DeclaredOptions.ofMount.options where option.name != "o" {
            let typed = option.name.replacing("-", with: "\\-")
            #expect(mount.contains("Fl \\-\(typed)"), "\(option.name)")
            #expect(helper.contains(".Cm \(option.name.replacing("-", with: "_"))"), "\(option.name)")
        }
        #expect(
            mount.contains(".Sh EXAMPLES\n") && mount.contains(".Sh ENVIRONMENT\n") && mount.contains(".Sh FILES\n"))
    }
}

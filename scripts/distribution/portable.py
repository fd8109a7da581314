"""A program that runs on any Linux with glibc 2.31 or later, and the tree and the tarball with it.

The objects of an ordinary release build are linked anew: with Swift's runtime and all other libraries in the program, except
glibc, against the glibc of Debian 11. The libraries are the static ones of the development packages (scripts/setup), which
Debian keeps free of security holes. Only libcurl is compiled, from Debian's source package, since Debian's own needs Kerberos,
LDAP and others, which have no static libraries.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from distribution import icu, licenses, tarball, tree
from distribution.release import Release, output

GLIBC = (2, 31)
# The libraries that any system has, in the packages of glibc.
SYSTEM_LIBRARIES = {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "libutil.so.1", "librt.so.1"}
SYSROOT_SUITE = "bullseye"
SYSROOT_PACKAGES = ["gcc-10-base", "libc6", "libc6-dev", "libgcc-s1", "libgcc-10-dev", "libstdc++-10-dev"]
# The documentation of libstdc++ and libgcc in it.
GCC_DOCUMENTATION = "usr/share/doc/gcc-10-base"
STATIC_LIBRARIES = ["ssl", "crypto", "expat", "fuse3", "sqlite3"]
# The packages with the licenses of the libraries in the program, and the files that are in it, as these licenses name them.
LICENSED_PACKAGES = {
    "libcurl4-openssl-dev": "*", "libssl-dev": "*", "libexpat1-dev": "*", "libfuse3-dev": "lib/*", "libsqlite3-dev": "*",
}
FOUNDATION = [
    "Foundation", "FoundationEssentials", "FoundationInternationalization", "CoreFoundation", "_FoundationICU",
    "_FoundationCShims", "_FoundationCollections",
]
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# HTTP/1.1 with TLS and proxies: what S3 needs. The program finds the certificates of other systems itself.
CURL_OPTIONS = [
    "--disable-shared", "--enable-static", "--with-openssl", "--enable-threaded-resolver",
    "--with-ca-bundle=/etc/ssl/certs/ca-certificates.crt", "--without-ca-path",
    *(f"--without-{name}" for name in (
        "nghttp2", "libidn2", "librtmp", "libssh2", "libpsl", "brotli", "zstd", "zlib", "gssapi")),
    *(f"--disable-{name}" for name in (
        "ldap", "ldaps", "rtsp", "dict", "telnet", "tftp", "pop3", "imap", "smb", "smtp", "gopher", "mqtt", "ftp", "file",
        "manual")),
]


def linked(release: Release, root: Path) -> Release:
    """Returns the release with a portable program."""
    work = root / ".build/portable"
    work.mkdir(parents=True, exist_ok=True)
    apt = Apt(work / "apt")
    curl_version = apt.source_version("curl")
    program = link(release.program, root, work, sysroot(apt, work / SYSROOT_SUITE), curl(apt, work / f"curl-{curl_version}"))
    made = replace(release, program=program, objects=release.program, curl_version=curl_version)
    check(made)
    return made


def build(release: Release, root: Path, folder: Path, is_quick: bool) -> Path:
    """Makes the tree and the tarball of a portable program in a folder, and returns the path of the tarball."""
    staging = folder / name(release)
    shutil.rmtree(staging, ignore_errors=True)
    tree.make(release, root, staging, zsh_folder="site-functions")
    write_licenses(release, root, staging / "share/doc/tractfs")
    for file in ("LICENSE", "README.md"):
        shutil.copy(root / file, staging)
    (staging / "INSTALL").write_text(
        (root / "packaging/portable/INSTALL").read_text().format(name=name(release), machine=release.machine))
    tree.settle(staging)
    path = folder / f"{name(release)}.tar.gz"
    tarball.pack(staging, path, release.time, compression=1 if is_quick else 9)
    return path


def name(release: Release) -> str:
    return f"tractfs-{release.version}-linux-{release.machine}-portable"


def write_licenses(release: Release, root: Path, folder: Path) -> None:
    """Writes the licenses of all code in a portable program."""
    (folder / "copyright").write_text(
        licenses.copyright_file(root / "packaging/debian/copyright", release.built_program))
    (folder / "licenses").mkdir()
    for package in LICENSED_PACKAGES:
        shutil.copy(Path("/usr/share/doc") / package / "copyright", folder / "licenses" / package)


def link(program: Path, root: Path, work: Path, system: Path, libcurl: Path) -> Path:
    """Links the objects of a program anew, and returns the path of the portable one."""
    objects = program.parent / "tractfs.product/Objects.LinkFileList"
    if not objects.exists():
        raise ValueError(f"{program} is not in its build folder, which has the objects; give the path that swift build prints")
    triplet = output("gcc", "-print-multiarch").strip()
    libraries = work / "lib"
    shutil.rmtree(libraries, ignore_errors=True)
    libraries.mkdir()
    shutil.copy(libcurl, libraries)
    shutil.copy(next(system.glob("usr/lib/gcc/*/10/libstdc++.a")), libraries)
    for library in STATIC_LIBRARIES:
        shutil.copy(f"/usr/lib/{triplet}/lib{library}.a", libraries)

    subprocess.run(
        ["clang", "-O2", "-Wall", "-c", root / "packaging/portable/compat.c", "-o", work / "compat.o"], check=True)
    target = work / "tractfs"
    subprocess.run(
        ["swiftc", "-static-stdlib", "-emit-executable", "-module-name", "tractfs", "-o", target, "-L", libraries,
         "-Xlinker", "--gc-sections", "-Xlinker", "--build-id=none", "-Xlinker", "--defsym", "-Xlinker", "main=tractfs_main",
         f"@{objects}", work / "compat.o", locale_data(work),
         "-Xclang-linker", f"--sysroot={system}", "-Xclang-linker", f"--gcc-toolchain={system / 'usr'}",
         "-Xclang-linker", "-static-libgcc",
         "-lcurl", *(f"-l{library}" for library in STATIC_LIBRARIES),
         "-Xlinker", "--start-group", *(f"-l{library}" for library in FOUNDATION), "-Xlinker", "--end-group",
         "-lstdc++", "-lm", "-lpthread", "-ldl"],
        check=True)
    return target


def check(release: Release) -> None:
    """Checks that a program needs no more than the oldest system has."""
    foreign = [name for name in release.needed_libraries if name not in SYSTEM_LIBRARIES and not name.startswith("ld-linux")]
    if foreign:
        raise ValueError(f"{release.program} is not portable: it needs {', '.join(foreign)}")
    for major, minor in re.findall(r"\bGLIBC_(\d+)\.(\d+)", output("objdump", "--dynamic-syms", release.program)):
        if (int(major), int(minor)) > GLIBC:
            raise ValueError(f"{release.program} is not portable: it needs glibc {major}.{minor}")


class Apt:
    """apt with lists of its own: of packages of the oldest system, and of the sources of this one."""

    def __init__(self, folder: Path):
        (folder / "lists/partial").mkdir(parents=True, exist_ok=True)
        mirrors = mirrors_in_use()
        suite, mirror = next(iter(mirrors.items()))
        lines = [f"deb [signed-by={KEYRING}] {mirror} {SYSROOT_SUITE} main"]
        lines += [f"deb-src [signed-by={KEYRING}] {uri} {name} main" for name, uri in mirrors.items()]
        (folder / "sources.list").write_text("\n".join(lines) + "\n")
        self.options = [
            "-qq", "-o", f"Dir::Etc::SourceList={folder / 'sources.list'}", "-o", "Dir::Etc::SourceParts=/dev/null",
            "-o", f"Dir::State::Lists={folder / 'lists'}", "-o", "Dir::State::status=/dev/null", "-o", "APT::Sandbox::User=root",
        ]
        self.run("update")

    def run(self, *command: str, folder: Path | None = None) -> None:
        subprocess.run(["apt-get", *self.options, *command], check=True, cwd=folder, stdout=subprocess.DEVNULL)

    def source_version(self, package: str) -> str:
        """Returns the newest version of a source package."""
        found = output("apt-cache", *self.options, "showsrc", "--only-source", package)
        versions = re.findall(r"^Version: (.+)$", found, re.MULTILINE)
        newest = versions[0]
        for version in versions[1:]:
            if subprocess.run(["dpkg", "--compare-versions", version, "gt", newest]).returncode == 0:
                newest = version
        return newest


def mirrors_in_use() -> dict[str, str]:
    """Returns the mirrors in the configuration of apt by the names of Debian's suites."""
    targets = output("apt-get", "indextargets", "--format", "$(CODENAME) $(COMPONENT) $(REPO_URI)", "Created-By: Packages")
    found = dict(re.findall(r"^(\S+) main (\S*/debian\S*)$", targets, re.MULTILINE))
    if not found:
        raise ValueError("a portable program is built on Debian, and apt has no mirror of it in its configuration")
    return found


def sysroot(apt: Apt, folder: Path) -> Path:
    """Unpacks the libraries to link against, unless an earlier build has."""
    if (folder / GCC_DOCUMENTATION / "copyright").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        apt.run("download", *SYSROOT_PACKAGES, folder=Path(work))
        made = Path(work) / "root"
        for package in Path(work).glob("*.deb"):
            subprocess.run(["dpkg-deb", "--extract", package, made], check=True)
        for path in absolute_links(made):
            target = os.path.relpath(made / str(path.readlink()).lstrip("/"), path.parent)
            path.unlink()
            path.symlink_to(target)
        made.rename(folder)
    return folder


def absolute_links(folder: Path) -> Iterator[Path]:
    yield from [path for path in folder.rglob("*") if path.is_symlink() and path.readlink().is_absolute()]


def curl(apt: Apt, folder: Path) -> Path:
    """Compiles the newest libcurl of this system's sources, unless an earlier build has, and returns the static library."""
    library = folder / "libcurl.a"
    if not library.exists():
        folder.mkdir(exist_ok=True)
        apt.run("source", "curl", folder=folder)
        source = next(path for path in folder.iterdir() if path.is_dir())
        environment = os.environ | {"CFLAGS": "-O2 -fPIC"}
        with open(folder / "log", "w") as log:
            for command in (["./configure", *CURL_OPTIONS], ["make", f"-j{os.cpu_count()}", "-C", "lib", "libcurl.la"]):
                subprocess.run(command, check=True, cwd=source, env=environment, stdout=log, stderr=log)
        shutil.copy(source / "lib/.libs/libcurl.a", library)
    return library


def locale_data(work: Path) -> Path:
    """Returns an object with ICU's data for English, which the linker takes instead of all languages."""
    swift = Path(output("swiftc", "-print-target-info").split('"runtimeResourcePath": "')[1].split('"')[0])
    archive = swift.with_name("swift_static") / "linux/lib_FoundationICU.a"
    member = "icu_packaged_data.cpp.o"
    subprocess.run(["ar", "x", "--output", work, archive, member], check=True)
    symbol = re.search(r" R (icudt\w+)$", output("nm", work / member), re.MULTILINE)
    if symbol is None:
        raise ValueError(f"{archive} has no data of ICU in {member}")
    data = work / "icu.dat"
    subprocess.run(["objcopy", "-O", "binary", "--only-section=.rodata", work / member, data], check=True)
    data.write_bytes(icu.english(data.read_bytes()))
    assembly = work / "icu.s"
    assembly.write_text(
        f'.section .rodata\n.balign 16\n.globl {symbol[1]}\n.type {symbol[1]}, @object\n{symbol[1]}:\n.incbin "{data}"\n'
        f'.size {symbol[1]}, . - {symbol[1]}\n.section .note.GNU-stack,"",@progbits\n')
    target = work / "icu.o"
    subprocess.run(["clang", "-c", assembly, "-o", target], check=True)
    return target

// swift-tools-version: 6.3

import PackageDescription

/// What holds for every Swift target: language mode 6 (set at the end), no warnings, explicit `any`, and no
/// dependency that leaks through somebody else's import.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// Targets that touch neither C nor raw memory also have the compiler check that they don't.
let memorySafe = strict + [.strictMemorySafety()]

/// Whether `scripts/fuzz` builds: with the fuzzers as a program instead of as tests (docs/CONTRIBUTING.md).
let isFuzzing = Context.environment["TRACTFS_FUZZ"] != nil

/// Whether `scripts/sanitize thread` builds: with locks that ThreadSanitizer sees (docs/CONTRIBUTING.md).
let hasVisibleLocks = Context.environment["TRACTFS_VISIBLE_LOCKS"] != nil

let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let collections = Target.Dependency.product(name: "Collections", package: "swift-collections")

/// What fuzzers and their replay are about.
let fuzzed: [Target.Dependency] = [
    "S3Client", "Namespace", "BlockCache", "SQLiteArchive", "ObjectStore", "SystemSupport", system, logging,
]
/// Gives the kept corpora to the fuzzers' targets.
let fuzzTests = Target.testTarget(
    name: "FuzzTests", dependencies: fuzzed + ["TestSupport"],
    exclude: ["Corpora", "Fuzzers.swift"], swiftSettings: strict)
/// The same targets, for libFuzzer.
let fuzzers = [
    Target.executableTarget(
        name: "Fuzzers", dependencies: fuzzed + ["CFuzzer"], path: "Tests/FuzzTests",
        exclude: ["Corpora", "Corpus.swift", "CorpusTests.swift"], swiftSettings: strict),
    Target.target(name: "CFuzzer", path: "Tests/CFuzzer"),
]

let package = Package(
    name: "tractfs",
    products: [
        .executable(name: "tractfs", targets: ["tractfs"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-algorithms", from: "1.2.1"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    ],
    targets: [
        // The layers, top to bottom: dependencies point down only (docs/ARCHITECTURE.md).
        .executableTarget(
            name: "tractfs",
            dependencies: [
                "FuseBridge", "MountControl", "FileSystem", "Namespace", "SQLiteArchive", "Reader", "BlockCache",
                "S3Client",
                "ObjectStore", "StateLog", "SystemSupport", system, logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "TOMLKit", package: "TOMLKit"),
            ],
            swiftSettings: strict),
        .target(
            name: "FuseBridge",
            dependencies: [
                "CFuse", "CLinux", "MountControl", "FileSystem", "Namespace", "Reader", "BlockCache", "ObjectStore",
                "StateLog",
                "SystemSupport", collections, system, logging,
            ],
            swiftSettings: strict),
        .target(
            name: "MountControl",
            dependencies: ["CLinux", "FileSystem", "Namespace", "BlockCache", "ObjectStore", "SystemSupport", system],
            swiftSettings: strict),
        .target(
            name: "FileSystem",
            dependencies: ["Namespace", "Reader", "BlockCache", "ObjectStore", "StateLog", system, logging],
            swiftSettings: memorySafe),
        .target(
            name: "Namespace",
            dependencies: [
                "CXXHash", "ObjectStore", "StateLog", collections, logging,
                .product(name: "Algorithms", package: "swift-algorithms"),
            ],
            swiftSettings: strict),
        .target(
            name: "SQLiteArchive",
            dependencies: [
                "BlockCache", "CXXHash", "Namespace", "ObjectStore", "SystemSupport", collections, system, logging,
                .product(name: "GRDB", package: "GRDB.swift"), .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
        .target(
            name: "Reader", dependencies: ["BlockCache", "ObjectStore", collections, logging],
            swiftSettings: strict),
        .target(
            name: "BlockCache",
            dependencies: ["CLinux", "CXXHash", "ObjectStore", "SystemSupport", collections, system, logging],
            swiftSettings: strict),
        .target(
            name: "S3Client",
            dependencies: [
                "CCurl", "CCrypto", "CExpat", "ObjectStore", "SystemSupport", system, collections, logging,
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            swiftSettings: strict),
        .target(name: "ObjectStore", swiftSettings: memorySafe),

        // What the next serving process must know, should this one die.
        .target(
            name: "StateLog", dependencies: ["CLinux", "SystemSupport", system, logging], swiftSettings: strict),

        // What swift-system and Synchronization lack: programs, threads, waiting, memory and messages between processes.
        .target(name: "SystemSupport", dependencies: ["CLinux", system], swiftSettings: strict),

        // One C library each; nothing is decided in C.
        .target(name: "CFuse", linkerSettings: [.linkedLibrary("fuse3")]),
        .target(name: "CCurl", linkerSettings: [.linkedLibrary("curl")]),
        .target(name: "CCrypto", linkerSettings: [.linkedLibrary("crypto")]),
        .target(name: "CExpat", linkerSettings: [.linkedLibrary("expat")]),
        .target(name: "CXXHash"),
        .target(name: "CLinux"),

        // Tests. TestSupport holds the scriptable S3 server, the real ones' launchers and the in-memory store.
        .target(
            name: "TestSupport",
            dependencies: [
                "CCrypto", "CLinux", "ObjectStore", "StateLog", system, collections, logging,
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            path: "Tests/TestSupport",
            exclude: ["TLS/tls_front.py"],
            swiftSettings: strict),
        // What scripts/bench --layers runs.
        .executableTarget(
            name: "LayerBenchmark",
            dependencies: [
                "S3Client", "FileSystem", "Namespace", "Reader", "BlockCache", "ObjectStore", "StateLog", system,
                logging,
            ],
            path: "Tests/LayerBenchmark", swiftSettings: strict),
        // What scripts/soak runs.
        .executableTarget(
            name: "Soak", dependencies: ["TestSupport", "ObjectStore", system], path: "Tests/Soak",
            swiftSettings: strict),
        .testTarget(name: "TestSupportTests", dependencies: ["TestSupport", "ObjectStore"], swiftSettings: strict),
        .testTarget(
            name: "S3ClientTests", dependencies: ["S3Client", "ObjectStore", "TestSupport", logging],
            exclude: [
                "signer_reference.py", "endpoint_reference.py", "express_reference.py", "credentials_reference.py",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "StateLogTests",
            dependencies: ["CLinux", "StateLog", "SystemSupport", "TestSupport", system, logging],
            swiftSettings: strict),
        .testTarget(
            name: "NamespaceTests", dependencies: ["Namespace", "ObjectStore", "StateLog", "TestSupport", logging],
            swiftSettings: strict),
        .testTarget(
            name: "BlockCacheTests",
            dependencies: ["BlockCache", "ObjectStore", "SystemSupport", "TestSupport", system, logging],
            swiftSettings: strict),
        .testTarget(
            name: "SQLiteArchiveTests",
            dependencies: [
                "SQLiteArchive", "BlockCache", "Namespace", "ObjectStore", "SystemSupport", "TestSupport", system,
                logging, .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ReaderTests",
            dependencies: ["Reader", "BlockCache", "ObjectStore", "TestSupport", system, logging], swiftSettings: strict
        ),
        .testTarget(
            name: "FileSystemTests",
            dependencies: [
                "FileSystem", "Namespace", "Reader", "BlockCache", "ObjectStore", "StateLog", "TestSupport", system,
                logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "SystemSupportTests", dependencies: ["SystemSupport", "TestSupport", system], swiftSettings: strict),
        .testTarget(
            name: "MountControlTests",
            dependencies: [
                "MountControl", "FileSystem", "Namespace", "Reader", "BlockCache", "ObjectStore", "TestSupport", system,
                logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "FuseBridgeTests",
            dependencies: [
                "CFuse", "FuseBridge", "MountControl", "FileSystem", "Namespace", "Reader", "BlockCache", "ObjectStore",
                "StateLog",
                "TestSupport", system, logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "MountTests",
            dependencies: [
                "tractfs", "FuseBridge", "MountControl", "BlockCache", "ObjectStore", "SystemSupport", "TestSupport",
                system,
                logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            exclude: [
                "compare_trees.py", "fidelity_tree.py", "walk_tools.py", "presign_reference.py",
                "prometheus_samples.py", "watch_status.py", "complete_in_shell.py", "report_page.py",
                "documentation_tree.py", "name_server.py", "hand_device.py",
            ],
            swiftSettings: strict),
    ] + (isFuzzing ? fuzzers : [fuzzTests]),
    swiftLanguageModes: [.v6]
)

if hasVisibleLocks {
    for target in package.targets where target.swiftSettings != nil {
        target.dependencies.append("VisibleSynchronization")
    }
    package.targets.append(
        .target(name: "VisibleSynchronization", path: "Tests/VisibleSynchronization", swiftSettings: strict))
}

// swift-tools-version: 6.3

import PackageDescription

/// The settings of all Swift targets, in addition to language mode 6 at the end: warnings are errors, `any` is
/// explicit, and a file imports each module that it uses.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// The settings of targets that use neither C nor raw memory, which the compiler then checks.
let memorySafe = strict + [.strictMemorySafety()]

/// `true` in a build by `scripts/fuzz`, which has the fuzzers as a program instead of tests (docs/CONTRIBUTING.md).
let isFuzzing = Context.environment["TRACTFS_FUZZ"] != nil

/// `true` in a build by `scripts/sanitize thread`, with locks that ThreadSanitizer recognizes (docs/CONTRIBUTING.md).
let hasVisibleLocks = Context.environment["TRACTFS_VISIBLE_LOCKS"] != nil

let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let collections = Target.Dependency.product(name: "Collections", package: "swift-collections")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

/// The dependencies of the fuzzers and of the replay of their corpora.
let fuzzed: [Target.Dependency] = [
    "S3Client", "Namespace", "BlockCache", "SQLiteArchive", "ObjectStore", "SystemSupport", system, logging,
]
/// Replays the stored corpora through the targets of the fuzzers.
let fuzzTests = Target.testTarget(
    name: "FuzzTests", dependencies: fuzzed + ["TestSupport"],
    exclude: ["Corpora", "Fuzzers.swift"], swiftSettings: strict)
/// The fuzzers, as a program with libFuzzer.
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
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        // Histogram needs it; it is named here so that its version is fixed as well.
        .package(url: "https://github.com/apple/swift-numerics", exact: "1.1.1"),
        .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", exact: "0.2.0"),
        .package(url: "https://github.com/LebJe/TOMLKit", exact: "0.6.0"),
    ],
    targets: [
        // The layers, top to bottom: dependencies point down only (docs/ARCHITECTURE.md).
        .executableTarget(
            name: "tractfs",
            dependencies: [
                "Diagnostics", "Settings", "CommandOutput", "Reporting", "Supervision", "Mounting", "FuseBridge",
                "MountControl", "FileSystem", "Namespace", "SQLiteArchive", "Reader", "BlockCache", "S3Client",
                "ObjectStore", "StateLog", "SystemSupport", system, logging, argumentParser,
            ],
            swiftSettings: strict),
        .target(
            name: "Diagnostics",
            dependencies: [
                "Settings", "CommandOutput", "Mounting", "BlockCache", "S3Client", "ObjectStore", "SystemSupport",
                logging,
            ],
            swiftSettings: strict),
        .target(
            name: "Settings",
            dependencies: [
                "CommandOutput", "Mounting", "FileSystem", "Namespace", "S3Client", "ObjectStore", "SystemSupport",
                system, logging, argumentParser, .product(name: "TOMLKit", package: "TOMLKit"),
            ],
            swiftSettings: strict),
        .target(
            name: "CommandOutput", dependencies: ["SystemSupport", system], swiftSettings: strict),
        .target(
            name: "Supervision", dependencies: ["Mounting", "StateLog", "SystemSupport", system, logging],
            swiftSettings: strict),
        .target(
            name: "FuseBridge",
            dependencies: [
                "CFuse", "CLinux", "MountControl", "Mounting", "FileSystem", "Namespace", "Reader", "BlockCache",
                "ObjectStore", "StateLog", "SystemSupport", collections, system, logging,
            ],
            swiftSettings: strict),
        .target(name: "Reporting", dependencies: ["MountControl", "SystemSupport"], swiftSettings: strict),
        .target(
            name: "MountControl",
            dependencies: [
                "CLinux", "Mounting", "FileSystem", "Namespace", "BlockCache", "ObjectStore", "SystemSupport", system,
            ],
            swiftSettings: strict),
        .target(
            name: "FileSystem",
            dependencies: [
                "Namespace", "Reader", "BlockCache", "ObjectStore", "StateLog", "SystemSupport", system, logging,
            ],
            swiftSettings: memorySafe),
        .target(
            name: "Namespace",
            dependencies: ["CXXHash", "ObjectStore", "StateLog", "SystemSupport", collections, logging],
            swiftSettings: strict),
        .target(
            name: "SQLiteArchive",
            dependencies: [
                "BlockCache", "CXXHash", "Namespace", "ObjectStore", "SystemSupport", collections, system, logging,
                .product(name: "GRDB", package: "GRDB.swift"), .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
        .target(
            name: "Reader", dependencies: ["BlockCache", "ObjectStore", "SystemSupport", collections, logging],
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
                .product(name: "Numerics", package: "swift-numerics"),
            ],
            swiftSettings: strict),
        .target(name: "ObjectStore", dependencies: ["SystemSupport"], swiftSettings: memorySafe),

        // Mount points, the mount table, fusermount and overlays.
        .target(name: "Mounting", dependencies: ["CLinux", "SystemSupport", system, logging], swiftSettings: strict),

        // The state of a server that its successor needs.
        .target(
            name: "StateLog", dependencies: ["CLinux", "SystemSupport", system, logging], swiftSettings: strict),

        // The base library: time, text, JSON, threads, processes, sockets and directories.
        .target(name: "SystemSupport", dependencies: ["CLinux", system], swiftSettings: strict),

        // Bindings, one C library each. They contain no decisions.
        .target(name: "CFuse", linkerSettings: [.linkedLibrary("fuse3")]),
        .target(name: "CCurl", linkerSettings: [.linkedLibrary("curl")]),
        .target(name: "CCrypto", linkerSettings: [.linkedLibrary("crypto")]),
        .target(name: "CExpat", linkerSettings: [.linkedLibrary("expat")]),
        .target(name: "CXXHash"),
        .target(name: "CLinux"),

        // Tests. TestSupport has the scriptable S3 server, launchers of real servers, and the in-memory store.
        .target(
            name: "TestSupport",
            dependencies: [
                "CCrypto", "CLinux", "ObjectStore", "StateLog", "SystemSupport", system, collections, logging,
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            path: "Tests/TestSupport",
            exclude: ["TLS/tls_front.py"],
            swiftSettings: strict),
        // The program of scripts/bench --layers.
        .executableTarget(
            name: "LayerBenchmark",
            dependencies: [
                "S3Client", "FileSystem", "Namespace", "Reader", "BlockCache", "ObjectStore", "StateLog",
                "SystemSupport", system, logging,
            ],
            path: "Tests/LayerBenchmark", swiftSettings: strict),
        // The program of scripts/soak.
        .executableTarget(
            name: "Soak", dependencies: ["TestSupport", "ObjectStore", "SystemSupport", system], path: "Tests/Soak",
            swiftSettings: strict),
        .testTarget(
            name: "TestSupportTests", dependencies: ["TestSupport", "ObjectStore", "SystemSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "S3ClientTests", dependencies: ["S3Client", "ObjectStore", "SystemSupport", "TestSupport", logging],
            exclude: [
                "signer_reference.py", "endpoint_reference.py", "express_reference.py", "credentials_reference.py",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "StateLogTests",
            dependencies: ["CLinux", "StateLog", "SystemSupport", "TestSupport", system, logging],
            swiftSettings: strict),
        .testTarget(
            name: "NamespaceTests",
            dependencies: ["Namespace", "ObjectStore", "StateLog", "SystemSupport", "TestSupport", logging],
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
            dependencies: ["Reader", "BlockCache", "ObjectStore", "SystemSupport", "TestSupport", system, logging],
            swiftSettings: strict),
        .testTarget(
            name: "FileSystemTests",
            dependencies: [
                "FileSystem", "Namespace", "Reader", "BlockCache", "ObjectStore", "StateLog", "SystemSupport",
                "TestSupport", system, logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "SettingsTests",
            dependencies: ["tractfs", "Settings", "SystemSupport", "TestSupport", system, argumentParser],
            swiftSettings: strict),
        .testTarget(
            name: "DiagnosticsTests", dependencies: ["Diagnostics", "CommandOutput", "SystemSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "CommandOutputTests", dependencies: ["CommandOutput", "SystemSupport"], swiftSettings: strict),
        .testTarget(
            name: "SystemSupportTests", dependencies: ["SystemSupport", "TestSupport", system], swiftSettings: strict),
        .testTarget(
            name: "MountControlTests",
            dependencies: [
                "MountControl", "FileSystem", "Namespace", "Reader", "BlockCache", "ObjectStore", "SystemSupport",
                "TestSupport", system, logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ReportingTests",
            dependencies: ["Reporting", "MountControl", "SystemSupport", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "ObjectStoreTests", dependencies: ["ObjectStore", "SystemSupport", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "FuseBridgeTests",
            dependencies: [
                "CFuse", "FuseBridge", "MountControl", "Mounting", "FileSystem", "Namespace", "Reader", "BlockCache",
                "ObjectStore", "StateLog", "SystemSupport", "TestSupport", system, logging,
            ],
            swiftSettings: strict),
        .testTarget(name: "MountingTests", dependencies: ["Mounting", "TestSupport", system], swiftSettings: strict),
        .testTarget(
            name: "SupervisionTests",
            dependencies: ["Supervision", "Mounting", "StateLog", "SystemSupport", system, logging],
            swiftSettings: strict),
        .testTarget(
            name: "MountTests",
            dependencies: [
                "tractfs", "Settings", "CommandOutput", "Supervision", "Mounting", "MountControl", "FuseBridge",
                "BlockCache", "ObjectStore", "SystemSupport", "TestSupport", system, logging, argumentParser,
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

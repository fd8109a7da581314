import MountControl

/// The status of mounts, for Prometheus. All samples have the label "mount_point"; units are seconds and bytes.
package struct StatusMetrics {
    private typealias Samples = @Sendable (MountStatus) -> [MetricFamily.Sample]

    private let mounts: [ObservedMount]

    package init(_ mounts: [ObservedMount]) {
        self.mounts = mounts
    }

    /// The metrics in the text format.
    package var text: String {
        let statuses = mounts.map { mount in (mount.mountPoint, try? mount.status.get()) }
        let up = MetricFamily(
            name: "tractfs_up", kind: .gauge, help: "Whether the mount says how it is.",
            samples: statuses.map { StatusMetrics.sample($0.1 == nil ? 0 : 1, at: $0.0) })
        let families = StatusMetrics.families.map { family, samples in
            var family = family
            for case (let mountPoint, let status?) in statuses {
                family.samples += samples(status).map { StatusMetrics.labelled($0, mountPoint) }
            }
            return family
        }
        return ([up] + families).map(\.text).joined()
    }

    private static func labelled(_ sample: MetricFamily.Sample, _ mountPoint: String) -> MetricFamily.Sample {
        var sample = sample
        sample.labels.insert(("mount_point", mountPoint), at: 0)
        return sample
    }

    private static func sample(_ value: Double, at mountPoint: String) -> MetricFamily.Sample {
        labelled(MetricFamily.Sample(value: value), mountPoint)
    }

    // MARK: The families

    private static let families = requests + latency + answers + room

    private static let requests: [(MetricFamily, Samples)] = [
        info("tractfs_info", "What is mounted, by which version.") {
            [("uri", $0.uri), ("version", $0.version), ("endpoint", $0.endpoint), ("region", $0.region)]
        },
        gauge("tractfs_generation", "Which serving process this is, counted from 1 at the mount.") {
            Double($0.generation)
        },
        gauge("tractfs_counted_seconds", "How long the serving process has counted.") { $0.sinceSeconds },
        byKind("tractfs_s3_requests_total", "Requests, however often they were sent.", \.requests),
        byKind("tractfs_s3_sent_total", "HTTP requests sent to S3, which it bills.", \.sent),
        byKind("tractfs_s3_retries_total", "Attempts after one that failed.", \.retries),
        byKind("tractfs_s3_hedges_total", "Attempts beside one that was late, silent or slow.", \.hedges),
        byKind("tractfs_s3_failed_requests_total", "Requests that ended with an error.", \.failed),
        byKind("tractfs_s3_cancelled_requests_total", "Requests that nobody wanted any more.", \.cancelled),
        byKind(
            "tractfs_s3_received_bytes_total", "Bytes of bodies received, those of errors included.", \.receivedBytes),
        (
            MetricFamily(name: "tractfs_s3_errors_total", kind: .counter, help: "Errors that attempts met."),
            { status in
                kinds(status).flatMap { name, kind in
                    kind.errors.elements.map { error, count in
                        MetricFamily.Sample(labels: [("kind", name), ("error", error)], value: Double(count))
                    }
                }
            }
        ),
        gauge("tractfs_s3_in_flight", "Requests under way.") { Double($0.requests.inFlight) },
        gauge("tractfs_s3_waiting", "Requests that wait for a connection, or to be sent again.") {
            Double($0.requests.waiting)
        },
        gauge("tractfs_s3_in_flight_limit", "How many requests may be under way just now.") {
            Double($0.requests.inFlightLimit)
        },
    ]

    private static let latency: [(MetricFamily, Samples)] = [
        (
            MetricFamily(
                name: "tractfs_s3_time_to_first_byte_seconds", kind: .summary,
                help: "How long S3 took to begin an answer, since counting began."),
            { status in kinds(status).flatMap { name, kind in summary(kind.timeToFirstByte, kind: name) } }
        )
    ]

    private static let answers: [(MetricFamily, Samples)] = [
        counter("tractfs_reads_total", "Reads that came to the serving process.") { $0.reads.reads },
        counter("tractfs_reads_waited_total", "Reads that had to wait for S3, the disk or memory.") { $0.reads.waited },
        counter("tractfs_reads_failed_total", "Reads that ended with an error.") { $0.reads.failed },
        (
            MetricFamily(
                name: "tractfs_read_bytes_total", kind: .counter, help: "Bytes read, by where they came from."),
            { status in
                [
                    ("s3", status.reads.s3Bytes), ("disk_cache", status.reads.diskCacheBytes),
                    ("memory_cache", status.reads.memoryCacheBytes),
                ].map { MetricFamily.Sample(labels: [("source", $0.0)], value: Double($0.1)) }
            }
        ),
        counter("tractfs_passthrough_opens_total", "Opens of files that the kernel reads by itself.") {
            $0.passthrough.opens
        },
        gauge("tractfs_passthrough_files", "Files that the kernel reads by itself just now.") {
            Double($0.passthrough.files)
        },
        counter("tractfs_lookups_total", "Names that the kernel asked for.") { $0.names.lookups },
        counter("tractfs_lookups_waited_total", "Lookups that had to wait for S3.") { $0.names.lookupsWaited },
        counter("tractfs_archived_listings_total", "Listings taken from the disk.") { $0.names.archivedListings },
        (
            MetricFamily(
                name: "tractfs_bad_entries_total", kind: .counter,
                help: "Entries of listings that lack something, or that no file can be made of."),
            { status in
                (status.names.badEntries?.elements ?? []).map { flaw, count in
                    MetricFamily.Sample(labels: [("flaw", flaw)], value: Double(count))
                }
            }
        ),
        gauge("tractfs_known_folders", "Folders of which something is known.") { Double($0.names.folders) },
        gauge("tractfs_known_inodes", "Files and folders that the kernel knows.") { Double($0.names.inodes) },
        gauge("tractfs_open_files", "Files that are open.") { Double($0.open.files) },
        gauge("tractfs_open_folders", "Folders that are open.") { Double($0.open.folders) },
    ]

    private static let room: [(MetricFamily, Samples)] = [
        counter("tractfs_disk_cache_skipped_bytes_total", "Bytes that came too fast for the disk.") {
            $0.diskCache?.skippedBytes ?? 0
        },
        counter("tractfs_disk_cache_stored_later_bytes_total", "Bytes of these that were stored later.") {
            $0.diskCache?.storedLaterBytes ?? 0
        },
        gauge("tractfs_memory_limit_bytes", "What --memory-limit says.") { Double($0.memory.limitBytes) },
        optional("tractfs_memory_resident_bytes", "What the serving process takes of memory.") {
            $0.memory.processBytes.map { Double($0) }
        },
        gauge("tractfs_block_limit_bytes", "What file contents may take of memory.") {
            Double($0.memory.blockLimitBytes)
        },
        gauge("tractfs_block_bytes", "What file contents take of memory.") { Double($0.memory.blockBytes) },
        gauge("tractfs_metadata_limit_bytes", "What listings may take of memory.") {
            Double($0.memory.metadataLimitBytes)
        },
        gauge("tractfs_metadata_bytes", "What listings take of memory.") { Double($0.memory.metadataBytes) },
        optional("tractfs_disk_cache_limit_bytes", "What the disk cache may take.") {
            $0.diskCache.map { Double($0.limitBytes) }
        },
        optional("tractfs_disk_cache_bytes", "What the disk cache takes, by all mounts that share it.") {
            $0.diskCache.map { Double($0.usedBytes) }
        },
        optional("tractfs_disk_cache_storing", "Whether anything is stored: not while the disk fails or is full.") {
            $0.diskCache.map { $0.storing ? 1 : 0 }
        },
    ]

    // MARK: Formatting

    private static func kinds(_ status: MountStatus) -> [(String, MountStatus.Kind)] {
        [("get", status.requests.get), ("list", status.requests.list)]
    }

    private static func byKind(
        _ name: String, _ help: String, _ count: @escaping @Sendable (MountStatus.Kind) -> Int
    ) -> (MetricFamily, Samples) {
        (
            MetricFamily(name: name, kind: .counter, help: help),
            { kinds($0).map { MetricFamily.Sample(labels: [("kind", $0.0)], value: Double(count($0.1))) } }
        )
    }

    private static func counter(
        _ name: String, _ help: String, _ count: @escaping @Sendable (MountStatus) -> Int
    ) -> (MetricFamily, Samples) {
        (MetricFamily(name: name, kind: .counter, help: help), { [MetricFamily.Sample(value: Double(count($0)))] })
    }

    private static func gauge(
        _ name: String, _ help: String, _ value: @escaping @Sendable (MountStatus) -> Double
    ) -> (MetricFamily, Samples) {
        optional(name, help, value)
    }

    private static func optional(
        _ name: String, _ help: String, _ value: @escaping @Sendable (MountStatus) -> Double?
    ) -> (MetricFamily, Samples) {
        (
            MetricFamily(name: name, kind: .gauge, help: help),
            { status in value(status).map { [MetricFamily.Sample(value: $0)] } ?? [] }
        )
    }

    private static func info(
        _ name: String, _ help: String, _ labels: @escaping @Sendable (MountStatus) -> [(name: String, value: String)]
    ) -> (MetricFamily, Samples) {
        (MetricFamily(name: name, kind: .gauge, help: help), { [MetricFamily.Sample(labels: labels($0), value: 1)] })
    }

    private static func summary(_ latency: MountStatus.Latency, kind: String) -> [MetricFamily.Sample] {
        let quantiles = [("0.5", latency.p50Seconds), ("0.9", latency.p90Seconds), ("0.99", latency.p99Seconds)]
        return quantiles.compactMap { quantile, value in
            value.map { MetricFamily.Sample(labels: [("kind", kind), ("quantile", quantile)], value: $0) }
        } + [
            MetricFamily.Sample(suffix: "_sum", labels: [("kind", kind)], value: latency.sumSeconds),
            MetricFamily.Sample(suffix: "_count", labels: [("kind", kind)], value: Double(latency.count)),
        ]
    }
}

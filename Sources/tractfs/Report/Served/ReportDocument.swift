import FileSystem
import FuseBridge
import Glibc
import ObjectStore
import S3Client
import SystemSupport

/// What a serving process says of all that it has done, to who asks (`tractfs report`), as a JSON object. docs/REPORT.md has what
/// each member means; `MountReport` reads it.
struct ReportDocument: Sendable {
    let status: StatusDocument
    /// What the mount was told, by the names of options.
    let settings: JSONObject
    let recorder: HistoryRecorder
    /// What is mounted of the bucket: paths are told from there on.
    let root: Key

    /// All of it, now.
    func object(_ session: SessionCounts) -> JSONObject {
        [
            "status": .object(status.object(session)), "settings": .object(settings),
            "machine": [
                "kernel": .string(FuseReadiness.kernelRelease),
                "processors": .number(sysconf(CInt(_SC_NPROCESSORS_ONLN))),
                "memory_bytes": .number(MachineMemory.byteCount()),
            ],
            "history": history(status.sample(session)),
            "access": .object(AccessDocument(status.fileSystem.accessSnapshot, root: root).object),
        ]
    }

    /// What was recorded, and how it is now. Each member is one number of all samples.
    private func history(_ now: HistorySample) -> JSONObject.Value {
        let history = recorder.history
        let samples = history.samples + [now]
        func column(_ value: (HistorySample) -> Int) -> JSONObject.Value {
            .array(samples.map { .number(value($0)) })
        }
        return [
            "period_seconds": .number(history.period), "sample_limit": .number(History.sampleCountMax),
            "seconds": .array(samples.map { .real(($0.seconds * 1_000).rounded() / 1_000) }),
            "counts": .object(
                JSONObject(
                    HistoryCount.allCases.enumerated().map { index, count in
                        (name: count.rawValue, value: column { $0.counts[index] })
                    })),
            "gauges": .object(
                JSONObject(
                    HistoryGauge.allCases.enumerated().map { index, gauge in
                        (name: gauge.rawValue, value: column { $0.gauges[index] })
                    })),
            "get_first_byte_counts": .array(
                (0..<LatencyDistribution.octaveCount).map { octave in column { $0.getLatencies[octave] } }),
            "list_first_byte_counts": .array(
                (0..<LatencyDistribution.octaveCount).map { octave in column { $0.listLatencies[octave] } }),
        ]
    }
}

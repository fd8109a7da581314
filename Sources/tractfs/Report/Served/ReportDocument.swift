import CommandOutput
import FileSystem
import FuseBridge
import Glibc
import Mounting
import ObjectStore
import S3Client
import SystemSupport

/// The report of a serving process about its whole life, as a JSON object for `tractfs report`. docs/REPORT.md defines
/// the members; `MountReport` decodes it.
struct ReportDocument: Sendable {
    let status: StatusDocument
    /// The settings of the mount, by option name.
    let settings: JSONObject
    let recorder: HistoryRecorder
    /// The mounted part of the bucket: paths are relative to it.
    let root: Key

    /// Returns the whole report as of now.
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

    /// Returns the recorded samples and a current one. Each member is an array with one number per sample.
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

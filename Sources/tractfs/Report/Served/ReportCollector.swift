import FileSystem
import FuseBridge
import Glibc
import MountControl
import Mounting
import ObjectStore
import Reporting
import S3Client
import SystemSupport

/// Collects the report of a serving process about its whole life.
struct ReportCollector: Sendable {
    let status: StatusCollector
    /// The settings of the mount, by option name.
    let settings: NamedValues<String>
    let recorder: HistoryRecorder
    /// The mounted part of the bucket: paths are relative to it.
    let root: Key

    /// Returns the current report.
    func report(_ session: SessionCounts) -> MountReport {
        var report = MountReport()
        report.status = status.status(session)
        report.settings = settings
        report.machine.kernel = FuseReadiness.kernelRelease
        report.machine.processors = sysconf(CInt(_SC_NPROCESSORS_ONLN))
        report.machine.memoryBytes = MachineMemory.byteCount()
        report.history = ReportCollector.history(recorder.history, now: status.sample(session))
        report.access = AccessCollector(status.fileSystem.accessSnapshot, root: root).access
        return report
    }

    /// Returns the recorded samples and a current one.
    private static func history(_ recorded: History, now: HistorySample) -> MountReport.History {
        let samples = recorded.samples + [now]
        func columns<Case: CaseIterable & RawRepresentable<String>>(
            _ type: Case.Type, _ values: (HistorySample) -> [Int]
        ) -> NamedValues<[Int]> {
            NamedValues(
                type.allCases.enumerated().map { index, name in
                    (name: name.rawValue, value: samples.map { values($0)[index] })
                })
        }
        func latencyColumns(_ values: (HistorySample) -> [Int]) -> [[Int]] {
            (0..<LatencyDistribution.octaveCount).map { octave in samples.map { values($0)[octave] } }
        }
        var history = MountReport.History()
        history.periodSeconds = recorded.period
        history.sampleLimit = History.sampleCountMax
        history.seconds = samples.map { ($0.seconds * 1_000).rounded() / 1_000 }
        history.counts = columns(HistoryCount.self, \.counts)
        history.gauges = columns(HistoryGauge.self, \.gauges)
        history.getFirstByteCounts = latencyColumns(\.getLatencies)
        history.listFirstByteCounts = latencyColumns(\.listLatencies)
        return history
    }
}

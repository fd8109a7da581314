import BlockCache
import FileSystem
import FuseBridge
import MountControl
import Namespace
import Reader
import Reporting
import S3Client
import SystemSupport

extension StatusCollector {
    /// Returns the current counters, for the history.
    func sample(_ session: SessionCounts) -> HistorySample {
        let client = client.counts
        let (counts, gauges) = (historyCounts(client, session), historyGauges(client))
        return HistorySample(
            seconds: (ContinuousClock.now - startInstant) / .seconds(1),
            counts: HistoryCount.allCases.map { counts($0) }, getLatencies: client.gets.latency.countsByOctave,
            listLatencies: client.lists.latency.countsByOctave, gauges: HistoryGauge.allCases.map { gauges($0) })
    }

    private func historyCounts(_ client: ClientCounts, _ session: SessionCounts) -> (HistoryCount) -> Int {
        let (gets, lists, reads, names) = (client.gets, client.lists, reader.counts, namespace.counts)
        let openCount = fileSystem.totalOpenCount
        return { count in
            switch count {
            case .getSent: gets.sentCount
            case .getRetries: gets.retryCount
            case .getHedges: gets.hedgeCount
            case .getErrors: gets.errorCounts.values.reduce(0, +)
            case .getReceivedBytes: gets.receivedByteCount
            case .listSent: lists.sentCount
            case .listRetries: lists.retryCount
            case .listHedges: lists.hedgeCount
            case .listErrors: lists.errorCounts.values.reduce(0, +)
            case .listReceivedBytes: lists.receivedByteCount
            case .lookups: names.lookupCount
            case .lookupsWaited: names.lookupMissCount
            case .opens: openCount
            case .passthroughOpens: session.passthroughOpenCount
            case .reads: reads.readCount
            case .readsWaited: reads.waitCount
            case .readsFailed: reads.failureCount
            case .s3Bytes: reads.storeByteCount
            case .diskCacheBytes: reads.diskByteCount
            case .memoryCacheBytes: reads.memoryByteCount
            }
        }
    }

    private func historyGauges(_ client: ClientCounts) -> (HistoryGauge) -> Int {
        { gauge in
            switch gauge {
            case .inFlight: client.activeCount
            case .waiting: client.waitingCount
            case .inFlightLimit: client.activeCountMax
            case .openFiles: fileSystem.openFileCount
            case .processBytes: (try? ProcessMemory.residentByteCount()) ?? 0
            case .blockBytes: blocks.residentByteCount
            case .metadataBytes: namespace.counts.byteCount
            case .diskUsedBytes: disk?.usedByteCount ?? 0
            }
        }
    }
}

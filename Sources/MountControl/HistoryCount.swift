/// The counters in a history: numbers that only grow, under their names in reports.
package enum HistoryCount: String, CaseIterable, Sendable {
    // Requests to S3, as `tractfs status` counts them.
    case getSent = "get_sent"
    case getRetries = "get_retries"
    case getHedges = "get_hedges"
    case getErrors = "get_errors"
    case getReceivedBytes = "get_received_bytes"
    case listSent = "list_sent"
    case listRetries = "list_retries"
    case listHedges = "list_hedges"
    case listErrors = "list_errors"
    case listReceivedBytes = "list_received_bytes"
    // Requests of the kernel.
    case lookups
    case lookupsWaited = "lookups_waited"
    case opens
    case passthroughOpens = "passthrough_opens"
    case reads
    case readsWaited = "reads_waited"
    case readsFailed = "reads_failed"
    // The sources of the bytes of reads.
    case s3Bytes = "s3_bytes"
    case diskCacheBytes = "disk_cache_bytes"
    case memoryCacheBytes = "memory_cache_bytes"
}

/// The gauges in a history: numbers that rise and fall. A merged sample has the highest.
package enum HistoryGauge: String, CaseIterable, Sendable {
    case inFlight = "in_flight"
    case waiting
    case inFlightLimit = "in_flight_limit"
    case openFiles = "open_files"
    case processBytes = "process_bytes"
    case blockBytes = "block_bytes"
    case metadataBytes = "metadata_bytes"
    case diskUsedBytes = "disk_used_bytes"
}

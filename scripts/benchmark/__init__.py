"""The modules of scripts/bench and scripts/bench_server: the server, the mounts, the readers, the results."""

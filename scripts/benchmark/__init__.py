"""What scripts/bench and scripts/bench_server are made of: the server, the mounts, the readers, the results."""

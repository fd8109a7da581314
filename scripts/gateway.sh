# A real S3 server on the loopback interface; source this file.
#
# start_gateway DIRECTORY      starts JuiceFS's gateway (MinIO's S3 code; it checks every signature) with its files in
#                              DIRECTORY, sets gateway_pid, and exports the endpoint and the credentials
# start_demo_store DIRECTORY   the same in DIRECTORY/server, with the demo's files, made in DIRECTORY/tree, in s3://hcp-demo
# stop_gateway                 ends it

gateway_pid=

# Call it in a subshell, so that only juicefs sees this HOME, where it stores state.
juicefs_in() {
    local directory=$1
    shift
    HOME=$directory MINIO_ROOT_USER=$AWS_ACCESS_KEY_ID MINIO_ROOT_PASSWORD=$AWS_SECRET_ACCESS_KEY \
        exec .venv/bin/juicefs "$@"
}

start_gateway() {
    local directory=$1 port attempt
    port=$(.venv/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    export AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
    export AWS_ACCESS_KEY_ID=tract-demo AWS_SECRET_ACCESS_KEY=tract-demo-secret
    # The user's profile or session token must not override these.
    export AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_CONFIG_FILE=/dev/null
    unset AWS_PROFILE AWS_SESSION_TOKEN AWS_ENDPOINT_URL_S3
    (juicefs_in "$directory" format --storage file --bucket "$directory/objects/" \
        "sqlite3://$directory/meta.db" vol) >"$directory/format.log" 2>&1 ||
        { cat "$directory/format.log" >&2; return 1; }
    (juicefs_in "$directory" gateway --multi-buckets --keep-etag --object-meta --no-usage-report \
        "sqlite3://$directory/meta.db" "127.0.0.1:$port") >"$directory/gateway.log" 2>&1 &
    gateway_pid=$!
    for attempt in {1..300}; do
        # Any HTTP response is enough, even an error.
        if curl -s -o "$directory/answer" "$AWS_ENDPOINT_URL/"; then return; fi
        kill -0 "$gateway_pid" 2>/dev/null || break
        sleep 0.1
    done
    echo "the S3 server did not start (after $attempt tries):" >&2
    cat "$directory/gateway.log" >&2
    return 1
}

start_demo_store() {
    mkdir "$1/server"
    .venv/bin/python3 scripts/demo_tree.py "$1/tree"
    start_gateway "$1/server"
    .venv/bin/python3 scripts/upload_tree.py "$1/tree" s3://hcp-demo
}

stop_gateway() {
    [ -n "$gateway_pid" ] || return 0
    kill "$gateway_pid" 2>/dev/null || true
    wait "$gateway_pid" 2>/dev/null || true
    gateway_pid=
}

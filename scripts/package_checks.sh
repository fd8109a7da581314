# The frame of the checks of packages, which run as root with a real S3 server and clean installations of Debian; source this
# file.
#
# usage ARGUMENTS      ends the check for wrong arguments
# fail MESSAGE         ends the check
# say MESSAGE          prints a step, with the seconds so far
# isolate ARGUMENT…    runs the check again with these arguments, and with mounts and processes that end with it, and sets work,
#                      its folder; call it in the folder of the repository

# shellcheck source=scripts/gateway.sh
source "$(dirname "${BASH_SOURCE[0]}")/gateway.sh"
# shellcheck source=scripts/clean_root.sh
source "$(dirname "${BASH_SOURCE[0]}")/clean_root.sh"

usage() {
    echo "usage: scripts/${0##*/} $*" >&2
    exit 2
}

fail() {
    echo "${0##*/}: $*" >&2
    exit 1
}

say() {
    printf '== %3d s: %s\n' "$SECONDS" "$*"
}

isolate() {
    [ "$(id -u)" -eq 0 ] || fail "must run as root, to install a system and mount in it"
    if [ -z "${TRACTFS_CHECK_FOLDER-}" ]; then
        scripts/setup --package
        TRACTFS_CHECK_FOLDER=$(mktemp -d "${TMPDIR:-/tmp}/tractfs-check.XXXXXX")
        export TRACTFS_CHECK_FOLDER
        trap 'rm -rf --one-file-system "$TRACTFS_CHECK_FOLDER"' EXIT
        unshare --mount --propagation private --pid --fork --kill-child --mount-proc "scripts/${0##*/}" "$@"
        exit
    fi
    work=$TRACTFS_CHECK_FOLDER
    trap stop_gateway EXIT
}

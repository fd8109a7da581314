# Clean installations of Debian in a folder; source this file as root.
#
# make_root SUITE DIRECTORY PACKAGE…   installs a suite with /proc and /dev/fuse
# in_root DIRECTORY COMMAND…           runs a command in it, with the store's address and no other variables of ours

# Prints the mirror in the configuration of apt.
debian_mirror() {
    apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' \
        | sed -n 's/^[a-z]* main //p' | head -n 1
}

make_root() {
    local suite=$1 root=$2 mirror include=()
    shift 2
    mirror=${MIRROR:-$(debian_mirror)}
    [ -n "$mirror" ] || { echo "apt has no mirror of Debian in its configuration; set MIRROR" >&2; return 1; }
    [ $# -eq 0 ] || include=(--include="$(IFS=,; echo "$*")")
    # As on a system that isn't used for anything else: no development files, no python.
    debootstrap --variant=minbase "${include[@]}" "$suite" "$root" "$mirror" >"$root.log" 2>&1 \
        || { tail -n 20 "$root.log" >&2; return 1; }
    mount -t proc proc "$root/proc"
    # For all users, as udev makes it.
    mknod -m 666 "$root/dev/fuse" c 10 229
    cp /etc/resolv.conf /etc/hosts "$root/etc/"
    # fusermount reads it; systemd makes it at boot.
    ln -sf ../proc/self/mounts "$root/etc/mtab"
}

in_root() {
    local root=$1
    shift
    chroot "$root" env -i HOME="${USER_HOME:-/root}" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        LC_ALL=C.UTF-8 AWS_ENDPOINT_URL="${AWS_ENDPOINT_URL-}" AWS_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true \
        AWS_ACCESS_KEY_ID="${AWS_ACCESS_KEY_ID-}" AWS_SECRET_ACCESS_KEY="${AWS_SECRET_ACCESS_KEY-}" "$@"
}

"""hand_device.py HOW MOUNT_POINT OPTIONS COMMAND...: opens /dev/fuse, mounts it by mount(2) with OPTIONS beside the necessary ones,
and runs COMMAND, in which "/dev/fd/N" stands for the open file. HOW is one of: mounted, nonblocking, unmounted (not mounted
yet), ended (unmounted already), null (another device)."""
import ctypes, os, subprocess, sys

how, mount_point, options, *command = sys.argv[1:]
NOSUID, NODEV, DETACH = 2, 4, 2
libc = ctypes.CDLL(None, use_errno=True)
device = os.open("/dev/null" if how == "null" else "/dev/fuse", os.O_RDWR)
if how == "nonblocking":
    os.set_blocking(device, False)
if how not in ("unmounted", "null"):
    data = f"fd={device},rootmode=40000,user_id=0,group_id=0" + ("," + options if options else "")
    if libc.mount(b"foreign", mount_point.encode(), b"fuse.foreign", NOSUID | NODEV, data.encode()):
        sys.exit(f"mount: {os.strerror(ctypes.get_errno())}")
if how == "ended" and libc.umount2(mount_point.encode(), DETACH):
    sys.exit("umount2")
command = [f"/dev/fd/{device}" if word == "/dev/fd/N" else word for word in command]
sys.exit(subprocess.run(command, pass_fds=[device]).returncode)

"""Watches a mount on a terminal of 24 rows and 80 columns, types Ctrl-C after some frames, and prints what was wrong.

Arguments: the program, the mount point.
"""

import os
import pty
import re
import struct
import sys
import termios
from fcntl import ioctl

process, terminal = pty.fork()
if process == 0:
    os.execv(sys.argv[1], [sys.argv[1], "status", "--watch", sys.argv[2]])
ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

output, is_typed = b"", False
while True:
    try:
        data = os.read(terminal, 65536)
    except OSError:  # EIO: the other side is closed.
        break
    if not data:
        break
    output += data
    if not is_typed and output.count(b"Ctrl-C ends") >= 3:
        os.write(terminal, b"\x03")
        is_typed = True

status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
text = output.decode()
frames = text.split("\x1b[H")[1:]
lines = [re.sub("\x1b\\[[?0-9]*[A-Za-z]", "", line) for frame in frames for line in frame.split("\r\n")]
assert status == 0, status
assert text.startswith("\x1b[?1049h\x1b[?25l"), text[:20]
assert text.endswith("\x1b[?25h\x1b[?1049l"), text[-40:]
assert len(frames) >= 3 and all(len(frame.split("\r\n")) <= 24 for frame in frames)
assert max(map(len, lines)) <= 80, max(lines, key=len)
assert any(line.startswith("from S3") for line in lines) and any("▁" in line for line in lines)
print("\n".join(re.sub("\x1b\\[[?0-9]*[A-Za-z]", "", frames[-1]).split("\r\n")))

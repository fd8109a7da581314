"""Starting programs that end with us, whatever happens to us."""

import ctypes
import signal
import subprocess
import sys

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _end_with_parent() -> None:
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def start(command: list, **options) -> subprocess.Popen:
    """Starts a program in a session of its own (Ctrl-C is for us to handle) that gets SIGTERM should we die."""
    return subprocess.Popen(
        [str(word) for word in command], start_new_session=True, preexec_fn=_end_with_parent, **options)


def end(process: subprocess.Popen, patience: float = 10) -> None:
    """Ends a program that `start` started, by force if it doesn't end by itself in `patience` seconds."""
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def exit_on_sigterm() -> None:
    """Makes SIGTERM end this process like Ctrl-C does: with everything cleaned up."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))

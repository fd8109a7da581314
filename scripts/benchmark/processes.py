"""Programs that end with this process in any case."""

import ctypes
import signal
import subprocess
import sys

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _end_with_parent() -> None:
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def start(command: list, **options) -> subprocess.Popen:
    """Starts a program in its own session, so that Ctrl-C doesn't reach it, with SIGTERM at the death of this process."""
    return subprocess.Popen(
        [str(word) for word in command], start_new_session=True, preexec_fn=_end_with_parent, **options)


def end(process: subprocess.Popen, timeout: float = 10) -> None:
    """Ends a program that `start` started, by force after `timeout` seconds."""
    process.terminate()
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def exit_on_sigterm() -> None:
    """Makes SIGTERM end this process like Ctrl-C, with cleanup."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))

"""Presses Tab in a shell as a user does, and tells what would be run then.

    complete_in_shell.py bash|zsh|fish SCRIPT LINE...

SCRIPT is the shell's completion script for tractfs, which must be in PATH. For each line the words are printed that the shell
makes of it after Tab, as a JSON array.
"""

import json
import os
import pty
import re
import select
import sys
import time

PATIENCE = 30
# Typed otherwise than it is printed, so that the shell's echo isn't taken for it.
READY, TYPED_READY = "@ready@", "@rea'dy@'"
COMMANDS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}
SHOW = "show() { printf '@word@%s' \"$@\"; printf '@end@\\n'; }"
SHOW_IN_FISH = "function show; printf '@word@%s' $argv; printf '@end@\\n'; end"


def preparation(shell: str, script: str) -> list[str]:
    if shell == "bash":
        return ["bind 'set enable-bracketed-paste off'; bind 'set bell-style none'", f"source '{script}'", SHOW]
    if shell == "zsh":
        return ["unsetopt prompt_cr prompt_sp", f"fpath=('{os.path.dirname(script)}' $fpath)",
                "autoload -Uz compinit; compinit -u -D", SHOW]
    return [f"source '{script}'", SHOW_IN_FISH]


class Shell:
    """An interactive shell with nothing of the user's, on a terminal of its own."""

    def __init__(self, name: str, script: str) -> None:
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.environ |= {"TERM": "dumb", "PS1": "> ", "HISTFILE": "/dev/null", "COLUMNS": "500"}
            os.execvp(COMMANDS[name][0], COMMANDS[name])
        for command in ["stty columns 500", *preparation(name, script)]:
            self.type(f"{command}; echo {TYPED_READY}\r")
            self.wait_for(READY)

    def type(self, text: str) -> None:
        os.write(self.terminal, text.encode())

    def wait_for(self, text: str) -> str:
        """Reads what the shell prints until `text` is in it."""
        seen, deadline = "", time.monotonic() + PATIENCE
        while text not in seen:
            ready, _, _ = select.select([self.terminal], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                sys.exit(f"the shell did not print {text!r}, but {seen!r}")
            seen += os.read(self.terminal, 65536).decode(errors="replace")
        return seen

    def words(self, line: str) -> list[str]:
        """The words of a line after Tab: it is made the arguments of a function that prints them."""
        self.type(line + "\t")
        # What follows the shell reads when it has completed: at the line's beginning "show", then Enter.
        self.type("\x01show \x05\r")
        self.type(f"echo {TYPED_READY}\r")
        seen = self.wait_for(READY)
        match = re.search(r"@word@(?!%s)(.*?)@end@\r?\n", seen)
        return match[1].split("@word@") if match else sys.exit(f"no words in {seen!r}")

    def end(self) -> None:
        os.close(self.terminal)
        os.waitpid(self.process, 0)


def main() -> None:
    name, script, *lines = sys.argv[1:]
    shell = Shell(name, script)
    for line in lines:
        print(json.dumps(shell.words(line)))
    shell.end()


main()

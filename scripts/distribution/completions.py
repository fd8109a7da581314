"""Shell completions: the scripts that the program generates from its declarations."""

from pathlib import Path

from distribution.release import output

# bash also splits words at ":" and "=". Without this function, s3://bucket would be three arguments to the generated function,
# and --profile=hcp an option without its value.
WHOLE_WORDS = r"""
__tractfs_whole_words() {
    local -a words=()
    local -i index number=0
    local rest="${COMP_LINE:0:COMP_POINT}"
    for ((index = 0; index <= COMP_CWORD; index++)); do
        local word="${COMP_WORDS[index]}"
        # No space before this word: it belongs to the last one if bash has split there.
        if [[ ${index} -gt 0 && "${rest}" != [[:space:]]* && ("${word}" == [:=]* || "${COMP_WORDS[index - 1]}" == *[:=]) ]]; then
            words[-1]+="${word}"
        else
            words+=("${word}")
        fi
        rest="${rest#"${rest%%[![:space:]]*}"}"
        rest="${rest#"${word}"}"
    done

    # Make two words of an option and its value.
    local -a COMP_WORDS=()
    for word in "${words[@]}"; do
        if [[ "${word}" == --*=* ]]; then
            COMP_WORDS+=("${word%%=*}" "${word#*=}")
        else
            COMP_WORDS+=("${word}")
        fi
    done
    local -i COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    local current="${COMP_WORDS[COMP_CWORD]}"
    _tractfs "${1}" "${current}" "${COMP_WORDS[COMP_CWORD - 1]}"

    # bash replaces only the part after the last ":" or "=".
    if [[ "${current}" == *[:=]* ]]; then
        local behind="${current##*[:=]}"
        COMPREPLY=("${COMPREPLY[@]#"${current%"${behind}"}"}")
    fi
}
complete -o filenames -F __tractfs_whole_words tractfs
"""


def script(program: Path, shell: str) -> str:
    text = output(program, "--generate-completion-script", shell).rstrip("\n") + "\n"
    # A shell sources the script, and doesn't run it.
    return text.removeprefix("#!/bin/bash\n\n") + WHOLE_WORDS if shell == "bash" else text


def write(program: Path, share: Path, zsh_folder: str) -> None:
    """Writes the scripts to the folders of the shells below a folder like /usr/share."""
    paths = {
        "bash": "bash-completion/completions/tractfs",
        "zsh": f"zsh/{zsh_folder}/_tractfs",
        "fish": "fish/vendor_completions.d/tractfs.fish",
    }
    for shell, name in paths.items():
        path = share / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script(program, shell))

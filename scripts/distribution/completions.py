"""Completions for shells: the scripts that the program generates from its declarations."""

from pathlib import Path

from distribution.release import output

# bash splits words at ":" and "=" as well, so that to the generated function s3://bucket would be three arguments, and
# --profile=hcp an option without its value.
WHOLE_WORDS = r"""
__tractfs_whole_words() {
    local -a words=()
    local -i index number=0
    local rest="${COMP_LINE:0:COMP_POINT}"
    for ((index = 0; index <= COMP_CWORD; index++)); do
        local word="${COMP_WORDS[index]}"
        # Nothing between the last word and this one: they are one, if bash has cut there.
        if [[ ${index} -gt 0 && "${rest}" != [[:space:]]* && ("${word}" == [:=]* || "${COMP_WORDS[index - 1]}" == *[:=]) ]]; then
            words[-1]+="${word}"
        else
            words+=("${word}")
        fi
        rest="${rest#"${rest%%[![:space:]]*}"}"
        rest="${rest#"${word}"}"
    done

    # An option and its value are two words.
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

    # bash puts the completion in the place of what is behind the last ":" or "=".
    if [[ "${current}" == *[:=]* ]]; then
        local behind="${current##*[:=]}"
        COMPREPLY=("${COMPREPLY[@]#"${current%"${behind}"}"}")
    fi
}
complete -o filenames -F __tractfs_whole_words tractfs
"""


def script(program: Path, shell: str) -> str:
    text = output(program, "--generate-completion-script", shell).rstrip("\n") + "\n"
    # It is read by a shell, not run.
    return text.removeprefix("#!/bin/bash\n\n") + WHOLE_WORDS if shell == "bash" else text


def write(program: Path, share: Path, zsh_folder: str) -> None:
    """Writes the scripts to where the shells look below a folder like /usr/share."""
    places = {
        "bash": "bash-completion/completions/tractfs",
        "zsh": f"zsh/{zsh_folder}/_tractfs",
        "fish": "fish/vendor_completions.d/tractfs.fish",
    }
    for shell, place in places.items():
        path = share / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script(program, shell))

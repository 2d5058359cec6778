"""`sweeper completion`: click's scripts for shells, with the words that install them."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

VARIABLE = "_SWEEPER_COMPLETE"
"""What click looks at to see that a shell is asking."""

_INSTALL = {
    "bash": 'eval "$(sweeper completion bash)"   in ~/.bashrc',
    "zsh": 'eval "$(sweeper completion zsh)"   in ~/.zshrc, after compinit',
    "fish": "sweeper completion fish | source   in ~/.config/fish/config.fish",
}

_WORDS = """    local response words=() begun= i
    for ((i = 0; i <= COMP_CWORD; i++)); do
        if [[ ${#words[@]} -gt 1 && ( ${COMP_WORDS[i]} =~ ^[=:]+$ || ${COMP_WORDS[i-1]} =~ ^[=:]+$ ) ]]; then
            words[-1]+=${COMP_WORDS[i]}
        else
            words+=("${COMP_WORDS[i]}")
        fi
    done
    [[ ${words[-1]} != "${COMP_WORDS[COMP_CWORD]}" ]] && begun=${words[-1]%"${words[-1]##*[=:]}"}
    [[ $begun == --*=* ]] && begun=${begun#*=}
"""
"""Bash cuts words at `=` and `:`, and puts what is offered in place of what stands behind the last of them."""

_NO_SPACE = "    [[ ${COMPREPLY[0]-} == *[/=.:] ]] && compopt -o nospace\n    return 0"
"""After a folder, `key=`, `parameters.` or `module:` more is to come."""


def script(shell: str) -> str:
    """The script for `bash`, `zsh` or `fish`."""
    kind = get_completion_class(shell)
    assert kind is not None
    made = kind(click.Group("sweeper"), {}, "sweeper", VARIABLE)
    text = made.source_template % made.source_vars()
    if shell == "bash":
        text = text.replace("    local response\n", _WORDS).replace("    return 0", _NO_SPACE)
        text = text.replace("COMP_CWORD=$COMP_CWORD", "COMP_CWORD=$((${#words[@]} - 1))")
        text = text.replace("${COMP_WORDS[*]}", "${words[*]}")
        text = text.replace("COMPREPLY+=($value)", 'COMPREPLY+=("${value#"$begun"}")')
    return f"# {_INSTALL[shell]}\n{text.strip()}\n"

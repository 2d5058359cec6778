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

_NO_SPACE = "    [[ ${COMPREPLY[0]-} == *[/=] ]] && compopt -o nospace\n    return 0"
"""After a folder or `key=` more is to come."""


def script(shell: str) -> str:
    """The script for `bash`, `zsh` or `fish`."""
    kind = get_completion_class(shell)
    assert kind is not None
    made = kind(click.Group("sweeper"), {}, "sweeper", VARIABLE)
    text = made.source_template % made.source_vars()
    if shell == "bash":
        text = text.replace("    return 0", _NO_SPACE)
    return f"# {_INSTALL[shell]}\n{text.strip()}\n"

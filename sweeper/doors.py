"""Commands on the way in and on the way out, and about the place itself; `cli` puts them beside its own."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import click

from sweeper.arguments import files, parsed
from sweeper.arguments import study as study_arguments

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@study_arguments
@click.option("--script", type=_FILE, shell_complete=files(".py"), help="The pick as a Keras script without sweeper.")
@click.option("--model", type=_FILE, shell_complete=files(".keras"), help="The kept model, copied to a .keras file.")
@click.option("--trials", type=_FILE, shell_complete=files(".csv", ".parquet"), help="Every trial: .csv or .parquet.")
def export(
    study: Path,
    overrides: tuple[str, ...],
    storage: Path,
    script: Path | None,
    model: Path | None,
    trials: Path | None,
) -> None:
    """The pick as a script or model, and all trials as a table."""
    from sweeper import study_file
    from sweeper.commands.export import Wanted
    from sweeper.commands.export import export as command

    file = study_file.load(study, parsed(overrides))
    with contextlib.redirect_stdout(sys.stderr):  # what a user's module prints
        lines = command(file, storage, Wanted(script, model, trials))
    for line in lines:
        click.echo(line, err=line.startswith("note:"))


COMMANDS = (export,)

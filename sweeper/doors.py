"""Commands on the way in and on the way out, and about the place itself; `cli` puts them beside its own."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path

import click

from sweeper.arguments import DEFAULT_STUDY, as_json, parsed
from sweeper.arguments import study as study_arguments
from sweeper.completing import data, files, models

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


@click.command("import")
@click.argument("sweep", type=_FILE, shell_complete=files(".yaml", ".yml"))
@click.option("--output", type=_FILE, default=DEFAULT_STUDY, shell_complete=files(".yaml"), help="The study to write.")
@click.option(
    "--data",
    shell_complete=data,
    help="Built-in name, or path of a CSV, Parquet or NPZ file or of a folder of images.",
)
@click.option("--target", help="Column to predict, for tables.")
@click.option("--model", shell_complete=models, help="mlp, cnn, lstm, or module:function.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def import_(sweep: Path, output: Path, force: bool, **options: str | None) -> None:
    """A Weights & Biases sweep file as a study."""
    from sweeper.commands.schema import schema_text
    from sweeper.commands.wandb_sweep import Options, import_sweep

    imported = import_sweep(sweep, output, Options(**options), force=force)
    output.with_name("study.schema.json").write_text(schema_text(), encoding="utf-8")
    for note in imported.notes:
        click.echo(f"note  {note}", err=True)
    click.echo(f"wrote {output}\nnext: sweeper validate {output}")


_COMPLETION = """Print what makes a shell complete commands, options, study files and studies.

\b
bash   eval "$(sweeper completion bash)"     in ~/.bashrc
zsh    eval "$(sweeper completion zsh)"      in ~/.zshrc, after compinit
fish   sweeper completion fish | source      in ~/.config/fish/config.fish
"""


@click.command(help=_COMPLETION, short_help="Print what makes a shell complete commands and files.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion of a shell."""
    from sweeper.commands.completion import script

    click.echo(script(shell), nl=False)


@click.command(short_help="Look at everything that a run depends on.")
@click.argument("study", type=click.Path(path_type=Path), required=False, shell_complete=files(".yaml", ".yml"))
@click.option(
    "--storage",
    type=click.Path(path_type=Path),
    default=Path("mlruns"),
    envvar="SWEEPER_STORAGE",
    help="Folder that studies and the MLflow store live in.  [default: mlruns]",
)
@as_json
def doctor(study: Path | None, storage: Path, as_json: bool) -> int:
    """Look at everything that a run depends on; exit code 2 where something would stop it."""
    from sweeper.commands import doctor as command
    from sweeper.commands.finding import Finding

    found: list[dict[str, str]] = []
    shows = sys.stderr.isatty() and not as_json

    def say(finding: Finding) -> None:
        found.append(finding.to_dict())
        if not as_json:
            click.echo("\r\x1b[K" if shows else "", nl=False, err=True)
            click.echo(command.words(finding))

    def looking(topic: str) -> None:
        click.echo(f"\r\x1b[K  {topic} ..." if shows else "", nl=False, err=True)

    code = command.doctor(command.checks(study, storage), say, looking)
    if as_json:
        click.echo(json.dumps(found, indent=2))
    elif shows:
        click.echo("\r\x1b[K", nl=False, err=True)
    return code


COMMANDS = (import_, export, completion, doctor)

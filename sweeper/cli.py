"""The command line: words in, exit code out. Each command makes one call; nothing heavy is imported for `--help`."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import click

from sweeper import __version__, cli_gate, doors
from sweeper.arguments import DEFAULT_STUDY
from sweeper.arguments import as_json as _as_json
from sweeper.arguments import junit as _junit
from sweeper.arguments import parsed as _parsed
from sweeper.arguments import study as _study
from sweeper.arguments import to_stderr as _to_stderr
from sweeper.completing import data, files, models, studies
from sweeper.errors import SweeperError

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy's threads would wait on the cores that workers train on


def main() -> None:
    """The `sweeper` command: the one place that turns exceptions into exit codes."""
    asked: dict[str, Any] = {}
    try:
        code = cli.main(prog_name="sweeper", standalone_mode=False, obj=asked)
    except SweeperError as error:
        click.echo(str(error), err=True)
        _tell_ci_refusal(error, asked.get("junit"))
        code = error.exit_code
    except click.ClickException as error:
        error.show()
        code = 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        code = 130
    except BrokenPipeError:
        code = 141
    except Exception as error:  # noqa: BLE001 - the border of the process
        code = _unexpected(error, asked.get("junit"))
    sys.exit(code or 0)


_HELP = """Which activation/optimizer combination wins on your Keras model and your data, and how sure is that?

\b
sweeper init             writes a first study.yaml
sweeper run study.yaml   trains, and ends in a verdict; again: continues what was interrupted
sweeper ui study.yaml    browses every run in MLflow
"""


@click.group(help=_HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="sweeper")
def cli() -> None:
    """The group of all commands."""


@cli.command(short_help="Write a first study file that suits your data.")
@click.argument("path", type=click.Path(path_type=Path), default=DEFAULT_STUDY, shell_complete=files(".yaml", ".yml"))
@click.option(
    "--data",
    shell_complete=data,
    help="Built-in name, or path of a CSV, Parquet or NPZ file or of a folder of images.",
)
@click.option("--target", help="Column to predict, for tables.")
@click.option("--model", shell_complete=models, help="mlp, cnn, lstm, or module:function.")
@click.option("--name", help="Of the study.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def init(path: Path, force: bool, **choices: str | None) -> None:
    """Write a first study file; asks three questions on a terminal, or takes flags."""
    from sweeper.commands.column import Fault
    from sweeper.commands.init import Choices
    from sweeper.commands.init import init as command
    from sweeper.commands.schema import schema_text

    faults: list[str] = []

    def say(note: str) -> None:
        click.echo(f"note  {note}", err=True)
        faults.extend([note] if isinstance(note, Fault) else [])

    asks = sys.stdin.isatty() and not any(choices.values())
    ask = (lambda question, default: str(click.prompt(question, default=default, err=True))) if asks else None
    written = command(path, Choices(**choices), ask=ask, force=force, say=say)
    written.with_name("study.schema.json").write_text(schema_text(), encoding="utf-8")
    then = f"sweeper run {written}" if not faults else f"mend this first, then sweeper run {written}:"
    click.echo("\n".join([f"wrote {written}", f"next: {then}", *(f"  {fault}" for fault in faults)]))


@cli.command()
@_study
@click.option("-j", "--workers", type=click.IntRange(1), envvar="SWEEPER_WORKERS", help="Worker processes.")
@click.option("-n", "--points", type=click.IntRange(1), envvar="SWEEPER_POINTS", help="Settings a combination.")
@click.option("--seed", type=click.IntRange(0), envvar="SWEEPER_SEED", help="Seed of the study.")
@click.option("--time", metavar="2h", envvar="SWEEPER_TIME", help="Stop after this long; exit code 5.")
@click.option("--engine", type=click.Choice(["processes", "inline"]), envvar="SWEEPER_ENGINE", help="Where trials run.")
@click.option("--tracking", metavar="URI", envvar="SWEEPER_TRACKING", help="MLflow tracking address.")
@click.option("--no-tracking", is_flag=True, envvar="SWEEPER_NO_TRACKING", help="Do not write to MLflow.")
@click.option("--fresh", is_flag=True, help="Begin anew; the old folder is kept under another name.")
@click.option("--extend", is_flag=True, help="Train what a raised number of seeds, points or trials adds.")
@click.option("--retry-failed", is_flag=True, help="Train again what failed, crashed or timed out.")
@click.option("-q", "--quiet", is_flag=True, envvar="SWEEPER_QUIET", help="Only the verdict.")
@click.option(
    "--no-progress", is_flag=True, envvar="SWEEPER_NO_PROGRESS", help="Plain lines instead of the live table."
)
@_junit
@_as_json
def run(study: Path, overrides: tuple[str, ...], storage: Path, **flags: Any) -> int:
    """Train a study and give its verdict; continues what is there."""
    from sweeper import study_file
    from sweeper.commands.warming import warm_up

    meant = {"search.points": "points", "search.seed": "seed", "budget.time": "time"}
    typed = {key: flag for key, flag in meant.items() if flags[flag] is not None}
    options = {**_parsed(overrides), **{key: flags[flag] for key, flag in typed.items()}}
    file = study_file.load(study, options, {key: f"--{flag}" for key, flag in typed.items()})
    warm_up(file, flags["engine"], storage, fresh=flags["fresh"])

    from sweeper.commands import ci
    from sweeper.commands import run as command
    from sweeper.commands.tracking import default_uri

    tracking = flags["tracking"] or default_uri(file.config, storage)
    chosen = command.Options(
        engine=flags["engine"],
        workers=flags["workers"],
        tracking=None if flags["no_tracking"] else tracking,
        storage=storage,
        fresh=flags["fresh"],
        extend=flags["extend"],
        retry_failed=flags["retry_failed"],
        display="quiet" if flags["quiet"] else "plain" if flags["no_progress"] else "auto",
        command=command.command_line(),
        browse=command.browse(study, storage),
        deliver=command.deliver(study, storage, flags["tracking"]),
    )
    # what a user's module prints while it runs in this process goes to stderr, as the progress does
    with contextlib.redirect_stdout(sys.stderr), ci.folded("Training", os.environ, sys.stderr):
        result = command.run(file, chosen)
    if flags["as_json"]:
        click.echo(command.document(result), nl=False)
    else:
        click.echo(command.words(result, study, storage))
    if result.undelivered is not None:
        click.echo(f"\n{result.undelivered}", err=True)
    told = ci.Told(result.verdict, result.exit_code, study, result.stopped, result.report, flags["junit"])
    for warning in ci.tell_ci(told, os.environ, _to_stderr):
        click.echo(f"\n{warning}", err=True)
    if result.stopped is not None:
        click.echo(f"\n{result.stopped}", err=True)
    return result.exit_code


@cli.command(short_help="Check a study file: every problem at once.")
@_study
def validate(study: Path, overrides: tuple[str, ...], storage: Path) -> None:
    """Check a study file: every problem at once, nothing imported, nothing run."""
    from sweeper.commands.validate import validate as command

    click.echo(command(study, _parsed(overrides)))


@cli.command(short_help="Trials, time, and the difference that can be found.")
@_study
@click.option("-j", "--workers", type=click.IntRange(1), envvar="SWEEPER_WORKERS", help="Worker processes.")
@click.option("--no-probe", is_flag=True, help="Do not train a few short trials to estimate the time.")
@_as_json
def plan(
    study: Path, overrides: tuple[str, ...], storage: Path, workers: int | None, no_probe: bool, as_json: bool
) -> None:
    """Combinations, trials, seeds, time, and the difference that can be found."""
    from sweeper import study_file
    from sweeper.commands import plan as command

    planned = command.plan(study_file.load(study, _parsed(overrides)), probe=not no_probe, wanted_workers=workers)
    click.echo(json.dumps(planned.to_dict(), indent=2) if as_json else command.words(planned))


@cli.command()
@_study
@_as_json
def status(study: Path, overrides: tuple[str, ...], storage: Path, as_json: bool) -> None:
    """How far a study is."""
    from sweeper import study_file
    from sweeper.commands import status as command

    document = command.status(study_file.load(study, _parsed(overrides)), storage)
    click.echo(json.dumps(document, indent=2) if as_json else command.status_words(document))


@cli.command()
@_study
@_as_json
def best(study: Path, overrides: tuple[str, ...], storage: Path, as_json: bool) -> None:
    """The pick and its parameters."""
    from sweeper import study_file
    from sweeper.commands import status as command

    document = command.best(study_file.load(study, _parsed(overrides)), storage)
    click.echo(json.dumps(document, indent=2) if as_json else command.best_words(document))


@cli.command(short_help="Write the report again, from what is stored.")
@_study
def report(study: Path, overrides: tuple[str, ...], storage: Path) -> None:
    """Write the report again, from what is stored; works after a kill too."""
    from sweeper import study_file
    from sweeper.commands.report import report as command

    for path in command(study_file.load(study, _parsed(overrides)), storage):
        click.echo(path)


@cli.command(short_help="Two studies of the same data side by side.")
@click.argument("first", shell_complete=studies)
@click.argument("second", shell_complete=studies)
@click.option(
    "--storage",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("mlruns"),
    envvar="SWEEPER_STORAGE",
    help="Folder that studies called by their name live in.  [default: mlruns]",
)
@click.option("--html", "page", type=click.Path(path_type=Path, dir_okay=False), help="Write a page to this file too.")
@_as_json
def compare(first: str, second: str, storage: Path, page: Path | None, as_json: bool) -> None:
    """Two studies of the same data side by side: names, study files, folders or verdict.json files."""
    from sweeper.commands import compare as command
    from sweeper.report.comparison_text import words

    found = command.compare(first, second, storage)
    if page is not None:
        command.write_page(found, page)
    click.echo(json.dumps(found.to_dict(), indent=2) if as_json else words(found))


@cli.command(short_help="Send to MLflow what it lacks of a study.")
@_study
@click.option("--tracking", metavar="URI", envvar="SWEEPER_TRACKING", help="MLflow tracking address.")
def sync(study: Path, overrides: tuple[str, ...], storage: Path, tracking: str | None) -> None:
    """Send to MLflow what it lacks of a study, from the ledger alone; trains nothing."""
    from sweeper import study_file
    from sweeper.commands.run import deliver
    from sweeper.commands.sync import sync as command

    file = study_file.load(study, _parsed(overrides))
    again = deliver(study, storage, tracking)
    say = functools.partial(click.echo, err=True)
    click.echo(command(file, storage, tracking=tracking, deliver=again, say=say))


@cli.command(short_help="Start the MLflow UI on the right store.")
@_study
@click.option("--port", type=click.IntRange(1, 65535), default=5000, envvar="SWEEPER_PORT", show_default=True)
def ui(study: Path, overrides: tuple[str, ...], storage: Path, port: int) -> int:
    """Start the MLflow UI on the right store, on this machine only, and print the address of the study."""
    from sweeper import study_file
    from sweeper.commands.tracking import browsing
    from sweeper.commands.ui import ui as command

    file = study_file.load(study, _parsed(overrides))
    address, uid = browsing(file, storage)
    return command(address, file.config.tracking.experiment or file.config.name, port, study_uid=uid)


@cli.command()
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
def schema(output: Path | None) -> None:
    """The JSON Schema of study.yaml, for editors."""
    from sweeper.commands.init import write_whole
    from sweeper.commands.schema import schema_text

    if output is None:
        click.echo(schema_text(), nl=False)
    else:
        write_whole(output, schema_text())


for _command in (*doors.COMMANDS, *cli_gate.COMMANDS):
    cli.add_command(_command)


def _tell_ci_refusal(error: SweeperError, junit: Path | None) -> None:
    """Where a CI listens, or a JUnit file was asked for."""
    named = ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "SWEEPER_DOTENV")
    if junit is not None or any(os.environ.get(name) for name in named):
        from sweeper.commands.ci import tell_ci_refusal

        for warning in tell_ci_refusal(error, os.environ, _to_stderr, junit):
            click.echo(warning, err=True)


def _unexpected(error: Exception, junit: Path | None) -> int:
    """Say that it is a fault of sweeper, and where the traceback is."""
    import tempfile

    with tempfile.NamedTemporaryFile("w", prefix="sweeper-", suffix=".log", delete=False, encoding="utf-8") as log:
        log.write(f"sweeper {__version__}: {' '.join(sys.argv)}\n\n")
        traceback.print_exception(error, file=log)
    said = f"unexpected {type(error).__name__}: {error}"
    click.echo(f"{said}\n  the traceback is in {log.name}", err=True)
    _tell_ci_refusal(SweeperError.at("sweeper", "no fault of its own", said, f"read {log.name}"), junit)
    return 1


if __name__ == "__main__":
    main()

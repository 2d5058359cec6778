"""The commands of the gate: a baseline, the check of a night against it, and what earlier nights said."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from sweeper.arguments import as_json, junit, parsed, study, to_stderr
from sweeper.completing import baselines, files

_tracking = click.option("--tracking", metavar="URI", envvar="SWEEPER_TRACKING", help="MLflow tracking address.")
_no_tracking = click.option(
    "--no-tracking", is_flag=True, envvar="SWEEPER_NO_TRACKING", help="Neither read nor write MLflow."
)
_workers = click.option("-j", "--workers", type=click.IntRange(1), envvar="SWEEPER_WORKERS", help="Worker processes.")
_engine = click.option(
    "--engine", type=click.Choice(["processes", "inline"]), envvar="SWEEPER_ENGINE", help="Where trials run."
)


@click.command(short_help="Did the frozen pick get worse? The exit code says it.")
@study
@click.option(
    "--baseline",
    metavar="FILE",
    shell_complete=baselines,
    help="Or mlflow:latest, mlflow:<run id>.  [default: gate.baseline]",
)
@click.option("--night", type=click.DateTime(["%Y-%m-%d"]), help="Whose seeds are used.  [default: today, UTC]")
@click.option(
    "--old-python",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Interpreter with the baseline's packages: after an alarm the old side trains there, seed by seed.",
)
@click.option(
    "--old-study",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Study file of a checkout with the baseline's code and data, likewise.",
)
@_workers
@_engine
@_tracking
@_no_tracking
@click.option("-q", "--quiet", is_flag=True, envvar="SWEEPER_QUIET", help="Only the answer.")
@click.option("--no-progress", is_flag=True, envvar="SWEEPER_NO_PROGRESS", help="Plain lines, no live table.")
@junit
@as_json
def check(study: Path, overrides: tuple[str, ...], storage: Path, **flags: Any) -> int:
    """Did the frozen pick get worse? Exit code 0: no, 3: yes, 4: cannot be decided."""
    from sweeper import study_file
    from sweeper.commands.warming import warm_up

    file = study_file.load(study, parsed(overrides))
    warm_up(file, flags["engine"], storage, fresh=True)

    from sweeper.commands import check as command
    from sweeper.commands import ci
    from sweeper.commands.old_side import OldSide
    from sweeper.commands.tracking import default_uri
    from sweeper.report import gate_text
    from sweeper.report.write import json_text

    tracking = flags["tracking"] or default_uri(file.config, storage)
    night: datetime.datetime | None = flags["night"]
    words = tuple(word for override in overrides for word in ("-S", override))
    chosen = command.Options(
        baseline=flags["baseline"],
        night=None if night is None else night.date(),
        old=OldSide(flags["old_python"], flags["old_study"], words),
        engine=flags["engine"],
        workers=flags["workers"],
        tracking=None if flags["no_tracking"] else tracking,
        storage=storage,
        display="quiet" if flags["quiet"] else "plain" if flags["no_progress"] else "auto",
    )
    # what a user's module prints while it runs in this process goes to stderr, as the progress does
    with contextlib.redirect_stdout(sys.stderr), ci.folded("Training", os.environ, sys.stderr):
        result = command.check(file, chosen)
    click.echo(json_text(result.to_dict()) if flags["as_json"] else gate_text.words(result), nl=not flags["as_json"])
    for warning in ci.tell_ci(ci.Told(result, result.exit_code, study, junit=flags["junit"]), os.environ, to_stderr):
        click.echo(f"\n{warning}", err=True)
    return result.exit_code


@click.group()
def baseline() -> None:
    """A verdict frozen for scheduled checks."""


@baseline.command(name="set")
@study
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("baseline.json"),
    show_default=True,
    help="File to write; keep it beside the study, under version control.",
)
def baseline_set(study: Path, overrides: tuple[str, ...], storage: Path, output: Path) -> None:
    """Freeze the verdict of a finished study."""
    from sweeper import study_file
    from sweeper.commands.baseline import set_baseline
    from sweeper.commands.baseline_file import words

    file = study_file.load(study, parsed(overrides))
    frozen = set_baseline(file, storage, output)
    click.echo(f"{words(frozen)}\nwrote {output}\nnext: sweeper check {study} --baseline {output}")


@baseline.command(name="show")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), shell_complete=files(".json"))
def baseline_show(file: Path) -> None:
    """What a baseline holds."""
    from sweeper.commands.baseline_file import read, words

    click.echo(words(read(file)))


@click.command(short_help="The frozen pick night by night.")
@study
@_tracking
@_no_tracking
@as_json
def history(study: Path, overrides: tuple[str, ...], storage: Path, **flags: Any) -> None:
    """The frozen pick night by night: score, outcome, and what had changed."""
    from sweeper import study_file
    from sweeper.commands import history as command
    from sweeper.commands.tracking import default_uri

    file = study_file.load(study, parsed(overrides))
    tracking = flags["tracking"] or default_uri(file.config, storage)
    known = command.history(file, storage, None if flags["no_tracking"] else tracking)
    for warning in known.warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo(json.dumps(known.to_dict(), indent=2) if flags["as_json"] else command.words(known))


@click.command(hidden=True)
@study
@_workers
@_engine
def score(
    study: Path, overrides: tuple[str, ...], storage: Path, workers: int | None, engine: str | None
) -> None:  # `storage` is not used: nothing is kept
    """Train the combination that stdin names and print its scores: the old side of a check, in its own environment."""
    from sweeper import study_file
    from sweeper.commands.engine import Place
    from sweeper.commands.fresh import parsed as request
    from sweeper.commands.fresh import score as command

    file = study_file.load(study, parsed(overrides))
    wanted = request(sys.stdin.read())
    with contextlib.redirect_stdout(sys.stderr):
        answer = command(file, wanted, Place(engine, workers))
    click.echo(json.dumps(answer))


COMMANDS = (check, baseline, history, score)

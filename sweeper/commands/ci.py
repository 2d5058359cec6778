"""Tells a CI how a command ended, in whatever ways the environment names. Nothing here changes an exit code.

A file that cannot be written is a warning: the sweep took hours, and its answer stands in the log and in MLflow too.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TextIO

from sweeper.errors import Problem, SweeperError, unwritable
from sweeper.report import github
from sweeper.report.dotenv import dotenv
from sweeper.report.ending import Answer, Ending, Refusal, level, values
from sweeper.report.job_summary import job_summary, refusal_summary
from sweeper.report.junit import junit, refusal_junit
from sweeper.tracking.addresses import is_server
from sweeper.tracking.links import run_link

DOTENV = "SWEEPER_DOTENV"
"""Names a file for the outputs where the CI has none of its own, such as GitLab."""


SHELF = "SWEEPER_ARTIFACTS_URL"
"""Names the page where the CI keeps what was uploaded, for the link to the report."""


@dataclass(frozen=True)
class Told:
    """What a command ended with.

    Attributes:
        study: the study file as it was typed.
        stopped: why the plan was not trained to its end, if it was not.
        report: path of report.html, if there is one.
        junit: file that `--junit` names, if it does.
    """

    answer: Answer
    exit_code: int
    study: Path
    stopped: SweeperError | None = None
    report: Path | None = None
    junit: Path | None = None


def tell_ci(told: Told, environ: Mapping[str, str], say: Callable[[str], None]) -> tuple[str, ...]:
    """Write the JUnit file that was asked for, and all that the CI of this environment shows.

    GitHub gets a summary, outputs and an annotation; a dotenv file is written wherever `SWEEPER_DOTENV` names one.

    Args:
        told: what the command ended with.
        environ: as in `os.environ`.
        say: shows one line where the CI looks for commands; not on stdout, which `--json` keeps to itself.

    Returns:
        Warnings, one for each thing that could not be written.
    """
    files = ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", DOTENV)
    if told.junit is None and not on_github(environ) and not any(environ.get(name) for name in files):
        return ()
    ending = _ending(told, environ)
    xml = None if told.junit is None else _write(told.junit, junit(ending))
    warnings = (xml, *_tell(environ, job_summary(ending), values(ending)))
    if on_github(environ):
        say(github.annotation(ending))
    return tuple(warning for warning in warnings if warning is not None)


def tell_ci_refusal(
    error: SweeperError, environ: Mapping[str, str], say: Callable[[str], None], junit_file: Path | None = None
) -> tuple[str, ...]:
    """The same for a command that ended without an answer; on GitHub each problem stands beside its line.

    A JUnit file is written here too: one of an earlier night, which may be green, must not stay.

    Args:
        error: what the command ended with.
        environ: as in `os.environ`.
        say: as in `tell_ci`.
        junit_file: that `--junit` names, if it does.
    """
    refusal = Refusal(error.exit_code, error.problems, _now(), socket.gethostname())
    outputs = {"outcome": type(error).__name__, "exit-code": str(error.exit_code)}
    if on_github(environ):
        for problem in error.problems:
            say(_at_its_line(problem, type(error).__name__, error.exit_code, environ))
    xml = None if junit_file is None else _write(junit_file, refusal_junit(refusal))
    told = (xml, *_tell(environ, refusal_summary(refusal), outputs))
    return tuple(warning for warning in told if warning is not None)


def check_writable(path: Path, option: str) -> None:
    """See that a file can be written where an option names it, and leave nothing there.

    Raises:
        UsageError: it cannot.
        StorageError: the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        cure = f"{option} FILE   in a folder that can be written"
        raise unwritable(f"{option} {path}", "a file that can be written", error, cure) from error


def _at_its_line(problem: Problem, kind: str, exit_code: int, environ: Mapping[str, str]) -> str:
    place = re.fullmatch(r"(\S+\.ya?ml)(?::(\d+))?(?:\s+(.*))?", problem.where)
    name, line, inside = place.groups() if place else ("", None, problem.where)
    file = _in_repository(Path(name), environ) if name else ""
    message = "\n".join(str(problem).split("\n")[1:]) or str(problem)
    number = None if line is None else int(line)
    return github.command(level(exit_code), message, title=f"sweeper: {inside or kind}", file=file, line=number)


def _tell(environ: Mapping[str, str], summary: str, outputs: Mapping[str, str]) -> Iterator[str | None]:
    """Write the files that the environment names; a warning for each that could not be written."""
    if environ.get("GITHUB_STEP_SUMMARY"):
        page = Path(environ["GITHUB_STEP_SUMMARY"])
        yield _append(page, github.fitted(summary, _size(page)))
    if environ.get("GITHUB_OUTPUT"):
        yield _append(Path(environ["GITHUB_OUTPUT"]), github.outputs(outputs))
    if environ.get(DOTENV):
        yield _write(Path(environ[DOTENV]), dotenv(outputs))


@contextlib.contextmanager
def folded(title: str, environ: Mapping[str, str], stream: TextIO) -> Iterator[None]:
    """Have what is printed inside shown as a section that can be opened, where the CI has such a thing."""
    name = re.sub(r"\W+", "_", title.lower())
    if on_github(environ):
        opening, closing = f"::group::{title}\n", "::endgroup::\n"
    elif environ.get("GITLAB_CI") == "true":
        opening = f"\x1b[0Ksection_start:{time.time():.0f}:{name}[collapsed=true]\r\x1b[0K{title}\n"
        closing = f"\x1b[0Ksection_end:{time.time():.0f}:{name}\r\x1b[0K\n"
    else:
        opening = closing = ""
    stream.write(opening)
    try:
        yield
    finally:
        stream.write(closing)
        stream.flush()


def on_github(environ: Mapping[str, str]) -> bool:
    """Whether a GitHub runner reads what this process prints."""
    return environ.get("GITHUB_ACTIONS") == "true"


def _ending(told: Told, environ: Mapping[str, str]) -> Ending:
    return Ending(
        told.answer,
        told.exit_code,
        study=_in_repository(told.study, environ),
        when=_now(),
        host=socket.gethostname(),
        report="" if told.report is None else _shown(told.report),
        problems=() if told.stopped is None else told.stopped.problems,
        link=_link(told.answer),
        shelf=environ.get(SHELF, ""),
    )


def _in_repository(path: Path, environ: Mapping[str, str]) -> str:
    """A file as GitHub names it, wherever in the checkout the command was given."""
    with contextlib.suppress(ValueError, KeyError):
        return path.absolute().relative_to(environ["GITHUB_WORKSPACE"]).as_posix()
    return path.as_posix()


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")


def _shown(path: Path) -> str:
    """A path below the current folder without it: a CI shows and uploads it by that name."""
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()


def _link(answer: Answer) -> str:
    """Address of the run where a server has it; a store in a file has none."""
    tracking = answer.tracking or {}
    server, experiment, run_id = (str(tracking.get(key) or "") for key in ("uri", "experiment", "run_id"))
    return (run_link(server, experiment, run_id) or "") if run_id and is_server(server) else ""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _append(path: Path, content: str) -> str | None:
    """Add to a file in one write, so that two processes do not mix; a warning where that fails."""
    try:
        with open(path, "ab", buffering=0) as file:
            file.write(content.encode("utf-8", "replace"))
    except OSError as error:
        return f"{path} could not be written ({error.strerror}); the answer above is not shown there"
    return None


def _write(path: Path, content: str) -> str | None:
    """Write a file whole or not at all; a warning where that fails."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(content, encoding="utf-8", errors="replace")
        os.replace(draft, path)
    except OSError as error:
        draft.unlink(missing_ok=True) if path.parent.is_dir() else None
        return f"{path} could not be written ({error.strerror}); the answer above is not shown there"
    return None

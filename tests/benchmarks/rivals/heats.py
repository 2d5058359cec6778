"""Processes that get ready, begin together, and are timed from their common start to the last one's end.

Each runs `main(job, heat)` of a tool, which prepares, calls `heat.line_up()`, which returns when all are ready, and
trains.
"""

from __future__ import annotations

import importlib
import os
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from pathlib import Path

from rivals.work import Job, Setting

SAY_EVERY_S = 30.0

ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "KERAS_BACKEND": "tensorflow",
    "MLFLOW_DISABLE_TELEMETRY": "true",  # a machine without a network would wait for it
}


class RivalFailed(Exception):
    """A process of a tool raised or died; its last words."""


@dataclass(frozen=True)
class Ready:
    """Imports, tables and warm-up are over."""


@dataclass(frozen=True)
class Trained:
    """A trial has ended."""

    setting: Setting
    epochs: int
    val_accuracy: float


@dataclass(frozen=True)
class Done:
    """All trials of a process have; seconds of the machine's monotonic clock, which its processes share."""

    began: float
    ended: float


@dataclass(frozen=True)
class Failed:
    """They never will."""

    traceback: str


@dataclass
class Heat:
    """A tool's side of the timing.

    Attributes:
        pipe: to the process that holds the table.
    """

    pipe: Connection
    began: float | None = None
    ended: float | None = None

    def line_up(self) -> None:
        """Wait until every process of the tool is ready, and begin."""
        self.pipe.send(Ready())
        self.pipe.recv()
        self.begin()

    def begin(self) -> None:
        """The clock runs from now on."""
        self.began = time.monotonic()

    def note(self, setting: Setting, epochs: int, val_accuracy: float) -> None:
        """A trial has ended; the warm-up is not counted."""
        if self.began is not None:
            self.pipe.send(Trained(setting, epochs, float(val_accuracy)))

    def say(self, words: str) -> None:
        """Something worth knowing beside the table."""
        self.pipe.send(words)

    def end(self) -> None:
        """The clock stands; without effect where it does already."""
        self.ended = self.ended or time.monotonic()


@dataclass(frozen=True)
class Timed:
    """What a tool did in how many seconds."""

    seconds: float
    trained: tuple[Trained, ...]

    @property
    def seconds_a_trial(self) -> float:
        """Of wall clock, all processes together."""
        return self.seconds / len(self.trained)


def run(entry: str, jobs: Sequence[Job], say: Callable[[str], None]) -> Timed:
    """Time a tool in one process a job.

    Args:
        entry: `module:function` of its `main(job, heat)`.
        say: takes words on how far it is.

    Raises:
        RivalFailed: a trial raised, a process died, or not exactly the trials of the jobs were trained.
    """
    processes = [_Process.start(entry, job) for job in jobs]
    collected = _Collected(sum(len(job.settings) for job in jobs), say)
    try:
        while len(collected.done) < len(processes):
            pipes = [process.pipe for process in processes if not process.pipe.closed]
            for pipe in connection.wait(pipes):
                collected.take(next(process for process in processes if process.pipe is pipe), processes)
    finally:
        for process in processes:
            process.stop()
    wanted = sorted(setting for job in jobs for setting in job.settings)
    if sorted(trained.setting for trained in collected.trained) != wanted:
        raise RivalFailed(f"{entry} trained {len(collected.trained)} trials, which are not the {len(wanted)} wanted")
    seconds = max(done.ended for done in collected.done) - min(done.began for done in collected.done)
    return Timed(seconds, tuple(collected.trained))


@dataclass
class _Process:
    process: object
    pipe: Connection
    log: Path
    ready: bool = False

    @classmethod
    def start(cls, entry: str, job: Job) -> _Process:
        """A fresh interpreter, whatever this one has imported."""
        ours, theirs = get_context("spawn").Pipe()
        log = job.folder / f"output-{job.process}.log"
        process = get_context("spawn").Process(target=_child, args=(entry, job, theirs, str(log)))
        process.start()
        theirs.close()
        return cls(process, ours, log)

    def hear(self) -> Ready | Trained | Done | Failed | str:
        """The next message; its death is one too."""
        try:
            return self.pipe.recv()
        except EOFError:
            self.process.join()
            return Failed(f"it ended with exit code {self.process.exitcode}")

    def last_words(self) -> str:
        """The end of what it printed."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-30:]) if self.log.exists() else ""

    def stop(self) -> None:
        """Wait for it, or end it where it has not said that it is done."""
        if not self.pipe.closed:
            self.process.kill()
            self.pipe.close()
        self.process.join()
        self.process.close()


@dataclass
class _Collected:
    """What the processes of a tool have said."""

    expected: int
    say: Callable[[str], None]
    trained: list[Trained] = field(default_factory=list)
    done: list[Done] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    said: float = 0.0

    def take(self, process: _Process, processes: Sequence[_Process]) -> None:
        """One message."""
        message = process.hear()
        if isinstance(message, Failed):
            raise RivalFailed(f"{message.traceback}\n{process.last_words()}")
        if isinstance(message, str):
            self.say(message)
        elif isinstance(message, Ready):
            process.ready = True
            self._begin_if_all_are(processes)
        elif isinstance(message, Trained):
            self.trained.append(message)
            if time.monotonic() - self.said > SAY_EVERY_S:
                self.said = time.monotonic()
                self.say(f"{len(self.trained)} of {self.expected} trials after {self.said - self.began:.0f} s")
        else:
            self.done.append(message)
            process.pipe.close()

    def _begin_if_all_are(self, processes: Sequence[_Process]) -> None:
        if not all(process.ready for process in processes):
            return
        self.say(f"ready after {time.monotonic() - self.began:.0f} s")
        self.began = self.said = time.monotonic()
        for process in processes:
            process.pipe.send(Ready())


def _child(entry: str, job: Job, pipe: Connection, log: str) -> None:
    """What a process runs; what it prints goes to a file, so that stdout is the table's."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ.update(ENVIRONMENT)
    if job.threads is not None:
        os.environ.update(TF_NUM_INTRAOP_THREADS=str(job.threads), TF_NUM_INTEROP_THREADS=str(job.threads))
    os.chdir(job.folder)  # MLflow's artifacts go below it
    module, _, function = entry.partition(":")
    heat = Heat(pipe)
    try:
        getattr(importlib.import_module(module), function)(job, heat)
        heat.end()
        assert heat.began is not None, f"{entry} never lined up"
        pipe.send(Done(heat.began, heat.ended))
    except BaseException:  # noqa: BLE001  the border of the process: whatever it is, the table must not hide it
        pipe.send(Failed(traceback.format_exc()))

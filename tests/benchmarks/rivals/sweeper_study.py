"""sweeper: one study through `sweeper.run`, its engine watched by a clock.

The clock runs from the first worker's word that it is ready (its first cohort lies in its pipe) to the moment at which
the ledger on disk has the end of the last trial and, where the study is tracked, MLflow's store has the end of every
trial's run. A smaller study before it pays for imports, for the schema of the store and for the fork server, and finds
out which way to train such models; the workers of the study are told that way, are forked anew, and compile whatever
they train inside the clock.
"""

from __future__ import annotations

import functools
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from rivals.heats import Heat
from rivals.work import Job, Setting, Work

import sweeper
from sweeper import study_file
from sweeper.commands.planning import first_trial, setup
from sweeper.commands.prepare import prepare
from sweeper.engines import forking
from sweeper.engines.processes import ProcessEngine
from sweeper.protocols import Choose, Engine, NextCohort
from sweeper.trial import Cohort, Event, Signal, TrainerReady, TrialEnded, TrialSpec
from sweeper.worker import Payload
from sweeper.worker import main as worker_main

LEAST_POINTS = 6
"""A study with fewer, or with a single combination, is refused."""

LOOK_EVERY_S = 0.01
PATIENCE_S = 300.0


def tracked(job: Job, heat: Heat) -> None:
    """With MLflow in SQLite."""
    run(job, heat, job.folder / "mlflow.db")


def untracked(job: Job, heat: Heat) -> None:
    """Without MLflow."""
    run(job, heat, None)


def run(job: Job, heat: Heat, store: Path | None) -> None:
    """A warm-up study, then the study."""
    work = job.work
    forking.warm_up("sweeper.preload", str(job.folder / "worker.log"))
    uri = None if store is None else f"sqlite:///{store}"
    warm_up = replace(work, activations=("relu", "tanh"), optimizers=("sgd",), points=LEAST_POINTS)
    study = {**warm_up.study(), "name": "warm-up"}
    trying = Listening(engine(warm_up, job, "auto"))
    sweeper.run(study, engine=trying, tracking=uri, storage=job.folder)
    heat.line_up()
    name = work.study()["name"]
    stored = (lambda: None) if store is None else (lambda: wait_for(store, name, len(job.settings)))
    heat.say(trying.way)
    watched = Watched(engine(work, job, trying.fuse), heat, len(job.settings), stored)
    sweeper.run(work.study(), engine=watched, tracking=uri, storage=job.folder)


def engine(work: Work, job: Job, fuse: str) -> Engine:
    """Worker processes, as `engine: {kind: processes, fuse: ...}` starts them."""
    study = prepare(study_file.load(work.study()))
    told = replace(setup(study, workers=job.processes), fuse=fuse)
    main = functools.partial(worker_main, log=str(job.folder / "worker.log"))
    return ProcessEngine(main, lambda: Payload(told, study.data, first_trial(study)), workers=job.processes)


class Listening:
    """A `protocols.Engine` around another that remembers which way its first worker chose.

    Attributes:
        fuse: the way, in the word of a study file.
        way: the same for people.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.fuse, self.way = "auto", ""

    def run(self, next_cohort: NextCohort, on_event: Callable[[Event], Signal]) -> None:
        """As the other."""

        def heard(event: Event) -> Signal:
            if isinstance(event, TrainerReady) and not self.way:
                self.fuse, self.way = event.fuse, event.way
            return on_event(event)

        self.engine.run(next_cohort, heard)


class Watched:
    """A `protocols.Engine` around another, with a clock.

    Args:
        trials: how many there will be.
        stored: asked when the ledger has them all; returns when everybody else has.
    """

    def __init__(self, engine: Engine, heat: Heat, trials: int, stored: Callable[[], None]) -> None:
        self.engine, self.heat, self.trials, self.stored = engine, heat, trials, stored
        self.began = False
        self.ended = 0
        self.specs: dict[int, TrialSpec] = {}

    def run(self, next_cohort: NextCohort, on_event: Callable[[Event], Signal]) -> None:
        """As the other, noting what comes."""

        def noted(choose: Choose = lambda _: 0, /) -> Cohort | None:
            cohort = next_cohort(choose)
            self.specs.update({spec.number: spec for spec in cohort.trials} if cohort else {})
            return cohort

        def heard(event: Event) -> Signal:
            if isinstance(event, TrainerReady) and not self.began:
                self.began = True
                self.heat.begin()
            signal = on_event(event)
            if isinstance(event, TrialEnded):
                self._ended(event)
            return signal

        self.engine.run(noted, heard)

    def _ended(self, event: TrialEnded) -> None:
        if event.status.is_failure:
            raise RuntimeError(f"trial {event.number} has {event.status}: {event.reason}")
        params = self.specs[event.number].params
        setting = Setting(**{name: params[name] for name in Setting._fields})
        self.heat.note(setting, event.epochs, event.metrics.get("val_accuracy", float("nan")))
        self.ended += 1
        if self.ended == self.trials:
            before = time.monotonic()
            self.stored()
            self.heat.end()
            self.heat.say(f"everything else was stored {time.monotonic() - before:.2f} s after the ledger's last trial")


def wait_for(store: Path, experiment: str, runs: int) -> None:
    """Return when MLflow's store has the end of so many runs of an experiment; the study's own run is still open."""
    query = """select count(*) from runs join experiments using (experiment_id)
               where experiments.name = ? and runs.status != 'RUNNING'"""
    given_up = time.monotonic() + PATIENCE_S
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        while (count := connection.execute(query, (experiment,)).fetchone()[0]) < runs:
            if time.monotonic() > given_up:
                raise RuntimeError(f"MLflow has {count} of {runs} runs {PATIENCE_S:g} s after the last trial's end")
            time.sleep(LOOK_EVERY_S)

"""One trial after the other: what all ways of training have in common.

A trial is a pure function of its spec and the data: neither the other trials of its cohort nor anything trained before
in this process changes a bit of it. Whatever happens in a trial ends that trial only; what `report` raises ends the
cohort.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from sweeper.data import Dataset, Part, Task
from sweeper.protocols import Report
from sweeper.setup import TrainerSetup
from sweeper.training.compiled import Programs
from sweeper.training.contract import Build, told
from sweeper.training.feed import EVALUATION_BATCH, Feed, Feeds, steps_of
from sweeper.training.keep import keep_model
from sweeper.training.metrics import Logs, classified_right, in_original_unit
from sweeper.training.process import configure
from sweeper.training.program import MakeLoop, Program
from sweeper.training.watch import Reporter, Watch, prefixed
from sweeper.trial import Cohort, Flags, Stage, Status, TrialEnded, TrialSpec

TESTED_STAGES = (Stage.CONFIRM, Stage.KEEP)
"""Where the sealed test rows are opened."""


class SequentialTrainer:
    """Trains the trials of a cohort one after the other, each in a compiled program that is kept and refilled.

    Epoch metrics are `loss`, the study's metrics by their plain names, and each of them with `val_` before it; errors
    of a regression are in the unit of the target, its loss is that of the standardised target. A trial that reached
    its end also has `test_...` in the stages that are evidence.

    Attributes:
        way: of training, in a word.
        why: it was chosen, in one line.
        key: under which that is to be remembered, if a try has told it.
        programs: the compiled models.
        feeds: the splits.
    """

    way = "keras"
    why = ""
    key: str | None = None

    def __init__(self, setup: TrainerSetup, build: Build, make_loop: MakeLoop[Any]) -> None:
        configure(setup)
        self._setup = setup
        self.programs = Programs(setup, build, make_loop)
        self.feeds = Feeds()

    def __call__(self, cohort: Cohort, data: Dataset, report: Report, /) -> list[TrialEnded]:
        """Train every trial of the cohort; each end is reported as soon as it is known, and returned."""
        configure(self._setup)
        reporter = Reporter(report)
        ends = []
        for spec in cohort.trials:
            end = self._guarded(spec, data, reporter, cohort.keep)
            reporter(end)
            ends.append(end)
        return ends

    def because(self, why: str) -> SequentialTrainer:
        """The same trainer, knowing why it was chosen."""
        self.why = why
        return self

    def check(self, data: Dataset, spec: TrialSpec) -> keras.Model:
        """Build the model of a trial, to find out before anything trains whether it can be; uncompiled.

        Raises:
            ModelError: the model function does not keep its contract.
        """
        configure(self._setup)
        feed = self.feeds.of(data, spec.seeds.split)
        return self.programs.recipe(spec, feed).fresh(spec.seeds.init)

    def _guarded(self, spec: TrialSpec, data: Dataset, reporter: Reporter, keep: str | None) -> TrialEnded:
        started = time.perf_counter()
        try:
            end = self._train(spec, data, reporter, keep)
        except (Exception, SystemExit) as error:  # a user's model or an allocation may raise anything
            if error is reporter.error:
                raise
            end = TrialEnded.failed(spec, told(error))
        return replace(end, duration_s=time.perf_counter() - started)

    def _train(self, spec: TrialSpec, data: Dataset, reporter: Reporter, keep: str | None) -> TrialEnded:
        feed = self.feeds.of(data, spec.seeds.split)
        program = self.programs.ready(spec, feed)
        end = self._run(spec, program, feed, reporter)
        if keep is not None and end.status is Status.COMPLETED:
            keep_model(keep, program.copy(spec.seeds.init), feed)
        self.programs.keep(spec, program)
        return end

    def _run(self, spec: TrialSpec, program: Program[Any], feed: Feed, reporter: Reporter) -> TrialEnded:
        watch = Watch(spec, feed.split.target_sd, reporter)
        program.loop.train(feed, spec.seeds.shuffle, spec.epochs, watch)
        if watch.diverged or watch.stopped:
            return watch.end({})
        return watch.end(*self._final(spec, program, feed))

    def _final(self, spec: TrialSpec, program: Program[Any], feed: Feed) -> tuple[Logs, Flags | None]:
        """What is measured after the last epoch, besides what was measured in it."""
        final: Logs = {}
        correct = None
        if program.averages:  # the weights are no longer those that the last epoch was validated with
            final.update(prefixed("val_", program.loop.evaluate(feed.validation)))
        if spec.stage in TESTED_STAGES:
            test = feed.open_test()
            if len(test):
                final.update(prefixed("test_", program.loop.evaluate(test)))
                correct = self._classified(program, test) if tells_rows(spec, feed.info.task) else None
        return in_original_unit(final, feed.split.target_sd), correct

    def _classified(self, program: Program[Any], test: Part) -> Flags:
        """Which test rows the model classifies correctly; called once a trial, so not worth compiling."""
        blocks = np.array_split(test.x, steps_of(len(test), EVALUATION_BATCH))
        predicted = np.concatenate([np.asarray(program.model(block, training=False)) for block in blocks])
        return Flags.of(classified_right(test.y, predicted, program.recipe.info.task))


def tells_rows(spec: TrialSpec, task: Task) -> bool:
    """Whether a trial tells which test rows it classified correctly: where the verdict rests on it."""
    return spec.stage is Stage.CONFIRM and task is not Task.REGRESSION

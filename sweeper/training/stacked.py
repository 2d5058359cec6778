"""Training the trials of a cohort together, as one stack.

Stacks are padded to whole vectors (`running.LANES`) with copies at whose results nobody looks, so that one compiled
size serves cohorts of different sizes and a trial's numbers depend on its place in the stack at most, not on who else
is there: in another place or size they agree to float32's last digits. A cohort that was cut short is therefore trained
again with the company it had (`Cohort.company`), in slots that would be copies otherwise. A trial that has diverged or
was stopped stays in its slot until so many have gone that the next smaller stack serves.
"""

from __future__ import annotations

import functools
import traceback
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import tensorflow as tf

from sweeper.data import Dataset
from sweeper.protocols import Report
from sweeper.setup import TrainerSetup
from sweeper.training.compiled import Programs
from sweeper.training.contract import Build, told
from sweeper.training.driving import StackDrive
from sweeper.training.feed import Feed, Feeds
from sweeper.training.graph import GraphTrainer
from sweeper.training.memory import largest_stack
from sweeper.training.passes import Passes
from sweeper.training.process import configure
from sweeper.training.program import shared
from sweeper.training.stack import StackLoop
from sweeper.training.watch import Reporter
from sweeper.trial import Cohort, Signal, TrialEnded, TrialSpec

CONDITIONAL = ("gradient_accumulation_steps", "ema_overwrite_frequency")
"""Arguments with which an optimizer writes variables inside a condition: in a stateless scope that is refused."""


ALIASING = ("schedulefreeadamw",)
"""Optimizers that read a variable, write it, and use what they read: on TensorFlow Keras 3.15 gives them the new value,
in a stateless scope the old one (which is what the algorithm asks for), so that `fit` and a stack would not agree."""


class StackedTrainer:
    """Trains the trials of a cohort together; those that cannot be, one after the other by `graph`.

    Attributes:
        way: of training, in a word.
        why: it was chosen, in one line.
        key: under which that is to be remembered, if a try has told it.
        programs: the compiled models.
        feeds: the splits.
    """

    way = "stacked"
    why = ""
    key: str | None = None

    def __init__(self, setup: TrainerSetup, build: Build) -> None:
        configure(setup)
        self._setup = setup
        make_loop = functools.partial(StackLoop, passes=Passes())
        self.programs: Programs[StackLoop] = Programs(setup, build, make_loop, pure=True)
        self.feeds = Feeds()
        self._alone = GraphTrainer(setup, build)
        self._limit: int | None = None

    def __call__(self, cohort: Cohort, data: Dataset, report: Report, /) -> list[TrialEnded]:
        """Train every trial of the cohort; each end is reported as soon as it is known, and returned."""
        configure(self._setup)
        ends: dict[int, TrialEnded] = {}
        wanted = {spec.number for spec in cohort.trials}

        def noted(event: Any) -> Signal:
            if event.number not in wanted:
                return Signal.CONTINUE
            if isinstance(event, TrialEnded):
                ends[event.number] = event
            return report(event)

        for _, alike in groupby(cohort.company or cohort.trials, key=_kind):
            specs = list(alike)
            reporter = Reporter(noted)
            try:
                if not self._is_alone(specs[0]):
                    self._together(specs, data, reporter, cohort)
            except (Exception, SystemExit):  # a user's model may raise anything: alone, each trial tells for itself
                if reporter.error is not None:
                    raise
                traceback.print_exc()  # to the log of the worker: what cannot be stacked is slower, and nobody is told
            left = tuple(spec for spec in specs if spec.number in wanted - ends.keys())
            if left:
                self._alone(Cohort(left, cohort.keep), data, noted)
        return [ends[spec.number] for spec in cohort.trials]

    def because(self, why: str) -> StackedTrainer:
        """The same trainer, knowing why it was chosen."""
        self.why = why
        return self

    def _is_alone(self, spec: TrialSpec) -> bool:
        return spec.stage in self._setup.alone or refusal(spec.params, self._setup) is not None

    def _together(self, specs: Sequence[TrialSpec], data: Dataset, reporter: Reporter, cohort: Cohort) -> None:
        """Train trials that share a program; nothing happens if a program serves only one trial."""
        feeds = self._split(specs, data, reporter)
        able = [(spec, feeds[spec.number]) for spec in specs if spec.number in feeds]
        if not able:
            return
        program, _ = self.programs.taken(*able[0])
        if self.programs.serves_once(*able[0]):
            return
        limit = largest_stack(program, able[0][1], self._setup.memory_bytes)
        limit = min(limit, self._limit or limit, len(able) if cohort.cramped else limit)
        drive = StackDrive(program, limit, reporter, cohort.keep)
        for _, same_size in groupby(able, key=lambda trial: (len(trial[1].train), len(trial[1].validation))):
            drive.train(list(same_size))
        self._limit = drive.limit if drive.limit < limit else None
        self.programs.keep(able[0][0], program)

    def _split(self, specs: Sequence[TrialSpec], data: Dataset, reporter: Reporter) -> Mapping[int, Feed]:
        """The split of every trial; one whose split cannot be made has failed."""
        feeds = {}
        for spec in specs:
            try:
                feeds[spec.number] = self.feeds.of(data, spec.seeds.split)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - a user's preprocessing may raise anything
                reporter(TrialEnded.failed(spec, told(error)))
        return feeds


def _kind(spec: TrialSpec) -> tuple[Any, ...]:
    """Equal for trials that one stack may hold."""
    return shared(spec.params), spec.epochs, spec.stage


def refusal(params: Mapping[str, Any], setup: TrainerSetup) -> str | None:
    """Why trials with these parameters are not stacked, by rule; None if they can be."""
    if params.get("optimizer") in ALIASING:
        return f"{params['optimizer']} relies on the in-place update of a variable that it has read"
    used = [name for name in CONDITIONAL if params.get(name)]
    if used:
        return f"{used[0]} writes variables inside a condition"
    if setup.mixed_precision and tf.config.list_physical_devices("GPU"):
        return "loss scaling by a LossScaleOptimizer writes variables inside a condition"
    return None

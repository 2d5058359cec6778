"""Training the trials of a cohort together, as one stack.

Stacks are padded to whole vectors (`running.LANES`) with copies at whose results nobody looks. On the CPUs that this
was tried on, a trial's numbers are then the same to the last bit whichever trials it is stacked with and in whatever
order; otherwise they agree to float32's last digits. A trial that has diverged or was stopped stays in its slot until
so many have gone that the next smaller stack serves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import tensorflow as tf

from sweeper.data import Dataset
from sweeper.protocols import Report
from sweeper.setup import TrainerSetup
from sweeper.training.compiled import Program, Programs, shared
from sweeper.training.contract import Build, told
from sweeper.training.feed import Feed, Feeds
from sweeper.training.graph import GraphTrainer
from sweeper.training.keep import keep_model
from sweeper.training.memory import largest_stack
from sweeper.training.metrics import Logs, in_original_unit
from sweeper.training.process import configure
from sweeper.training.pure import stateless
from sweeper.training.running import LANES, Member, Pile, Running
from sweeper.training.stack import StackLoop
from sweeper.training.trials import TESTED_STAGES
from sweeper.training.watch import Reporter, Watch, prefixed
from sweeper.trial import Cohort, Signal, Status, TrialEnded, TrialSpec

CONDITIONAL = ("gradient_accumulation_steps", "ema_overwrite_frequency")
"""Arguments with which an optimizer writes variables inside a condition: in a stateless scope that is refused."""


class StackedTrainer:
    """Trains the trials of a cohort together; those that cannot be, one after the other by `graph`.

    Attributes:
        way: of training, in a word.
        why: it was chosen, in one line.
    """

    way = "stacked"
    why = ""

    def __init__(self, setup: TrainerSetup, build: Build) -> None:
        configure(setup)
        self._setup = setup
        self._programs: Programs[StackLoop] = Programs(setup, build, StackLoop, variant=stateless)
        self._feeds = Feeds()
        self._alone = GraphTrainer(setup, build)

    def __call__(self, cohort: Cohort, data: Dataset, report: Report, /) -> list[TrialEnded]:
        """Train every trial of the cohort; each end is reported as soon as it is known, and returned."""
        configure(self._setup)
        ends: dict[int, TrialEnded] = {}

        def noted(event: Any) -> Signal:
            if isinstance(event, TrialEnded):
                ends[event.number] = event
            return report(event)

        for _, alike in groupby(cohort.trials, key=lambda spec: (shared(spec.params), spec.epochs, spec.stage)):
            specs = list(alike)
            reporter = Reporter(noted)
            try:
                stackable = not self._refuses(specs[0]) and self._together(specs, data, reporter, cohort.keep)
            except (Exception, SystemExit):  # a user's model may raise anything: alone, each trial tells for itself
                if reporter.error is not None:
                    raise
                stackable = False
            left = tuple(spec for spec in specs if spec.number not in ends)
            if not stackable and left:
                self._alone(Cohort(left, cohort.keep), data, noted)
        return [ends[spec.number] for spec in cohort.trials]

    def because(self, why: str) -> StackedTrainer:
        """The same trainer, knowing why it was chosen."""
        self.why = why
        return self

    def _refuses(self, spec: TrialSpec) -> bool:
        return spec.stage in self._setup.alone or refusal(spec.params, self._setup) is not None

    def _together(self, specs: Sequence[TrialSpec], data: Dataset, reporter: Reporter, keep: str | None) -> bool:
        """Train trials that share a program; False if a program serves only one trial."""
        feeds = self._split(specs, data, reporter)
        able = [spec for spec in specs if spec.number in feeds]
        if not able:
            return True
        program, _ = self._programs.taken(able[0], feeds[able[0].number])
        if self._programs.serves_once(able[0], feeds[able[0].number]):
            return False
        for _, same_size in groupby(able, key=lambda spec: _sizes(feeds[spec.number])):
            group = list(same_size)
            limit = largest_stack(program, feeds[group[0].number], self._setup.memory_bytes)
            size = _size(program.loop, group, limit)
            for start in range(0, len(group), size):
                trials = group[start : start + size]
                members = [Member.of(s, feeds[s.number], _watch(s, feeds[s.number], reporter)) for s in trials]
                self._train(program, Running.begun(program.loop, members, size), limit, reporter, keep)
        self._programs.keep(able[0], program)
        return True

    def _split(self, specs: Sequence[TrialSpec], data: Dataset, reporter: Reporter) -> Mapping[int, Feed]:
        """The split of every trial; one whose split cannot be made has failed."""
        feeds = {}
        for spec in specs:
            try:
                feeds[spec.number] = self._feeds.of(data, spec.seeds.split)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - a user's preprocessing may raise anything
                reporter(TrialEnded.failed(spec, told(error)))
        return feeds

    def _train(
        self, program: Program[StackLoop], running: Running, limit: int, reporter: Reporter, keep: str | None
    ) -> None:
        """To the last epoch of the last live trial; what does not fit into memory goes on in two halves."""
        _, first = running.live[0]
        steps = program.steps(first.spec, len(first.feed.train))
        while running.live and running.epoch < first.spec.epochs:
            try:
                told_of = running.advance(steps)
            except tf.errors.ResourceExhaustedError:
                if running.size == 1:
                    raise
                for half in running.halves():
                    self._train(program, half, half.size, reporter, keep)
                return
            for slot, member, logs, finite in told_of:
                if not member.watch(running.epoch - 1, logs, finite):
                    running.leave(slot)
                    reporter(_ended(member, {}))
            smaller = fitting(len(running.live), limit)
            if running.live and smaller < running.size:
                running = running.narrowed(smaller)
        if running.live:
            self._conclude(program, running, reporter, keep)

    def _conclude(self, program: Program[StackLoop], running: Running, reporter: Reporter, keep: str | None) -> None:
        """Measure what is measured after the last epoch, and end the trials."""
        final: dict[int, Logs] = {slot: {} for slot, _ in running.live}
        if program.averages:  # the weights are no longer those that the last epoch was validated with
            running.finish()
            for slot, logs in running.measured().items():
                final[slot].update(prefixed("val_", logs))
        for slot, logs in _tested(running).items():
            final[slot].update(prefixed("test_", logs))
        running.took_time()
        for slot, member in running.live:
            end = _ended(member, final[slot])
            if keep is not None and end.status is Status.COMPLETED:
                keep_model(keep, program.copy(member.spec.seeds.init, running.values(slot)), member.feed)
            reporter(end)


def _tested(running: Running) -> dict[int, Logs]:
    """Slot -> metrics on the sealed test rows, which are opened only in the stages that are evidence."""
    if running.live[0][1].spec.stage not in TESTED_STAGES:
        return {}
    parts = {member.spec.seeds.split: member.feed.open_test() for _, member in running.live}
    return running.measured(Pile(parts)) if all(map(len, parts.values())) else {}


def refusal(params: Mapping[str, Any], setup: TrainerSetup) -> str | None:
    """Why trials with these parameters are not stacked, by rule; None if they can be."""
    used = [name for name in CONDITIONAL if params.get(name)]
    if used:
        return f"{used[0]} writes variables inside a condition"
    if setup.mixed_precision and tf.config.list_physical_devices("GPU"):
        return "loss scaling by a LossScaleOptimizer writes variables inside a condition"
    return None


def fitting(trials: int, limit: int) -> int:
    """Size of the stack for so many trials: whole vectors; powers of two where memory allows no vector."""
    if limit < LANES:
        return 1 << (min(trials, limit).bit_length() - 1)
    return min(-(-trials // LANES) * LANES, limit // LANES * LANES)


def _size(loop: StackLoop, specs: Sequence[TrialSpec], limit: int) -> int:
    """That of a stack that is compiled already, unless a larger one is worth compiling."""
    size = fitting(len(specs), limit)
    ready = [each for each in loop.sizes if each <= size]
    if not ready or size in ready:
        return size
    largest = max(ready)
    return size if loop.sizes[largest].is_outdone_by(size, len(specs), specs[0].epochs) else largest


def _watch(spec: TrialSpec, feed: Feed, reporter: Reporter) -> Watch:
    return Watch(spec, feed.split.target_sd, reporter)


def _sizes(feed: Feed) -> tuple[int, int]:
    return len(feed.train), len(feed.validation)


def _ended(member: Member, final: Mapping[str, float]) -> TrialEnded:
    end = member.watch.end(in_original_unit(final, member.feed.split.target_sd))
    return replace(end, duration_s=member.seconds)

"""A stack of trials driven to its end: epochs reported, trials that are over taken out, the rest measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import tensorflow as tf

from sweeper.training.feed import Feed
from sweeper.training.keep import keep_model
from sweeper.training.metrics import Logs, in_original_unit
from sweeper.training.program import Program
from sweeper.training.running import LANES, Member, Pile, Running
from sweeper.training.stack import StackLoop
from sweeper.training.trials import TESTED_STAGES, tells_rows
from sweeper.training.watch import Reporter, Watch, prefixed
from sweeper.trial import Flags, Status, TrialEnded, TrialSpec


class StackDrive:
    """Drives stacks of one program.

    Args:
        limit: trials that fit into memory together.
        keep: folder in which the model of the (single) trial is left.

    Attributes:
        limit: the same, once memory has told.
    """

    def __init__(self, program: Program[StackLoop], limit: int, reporter: Reporter, keep: str | None) -> None:
        self._program, self._reporter, self._keep = program, reporter, keep
        self.limit = limit
        self._watches: dict[int, Watch] = {}

    def train(self, trials: Sequence[tuple[TrialSpec, Feed]]) -> None:
        """Train the trials to their ends, as many at a time as fit."""
        left = list(trials)
        while left:
            size = fitting(len(left), self.limit)
            together, left = left[:size], left[size:]
            self._watches = {spec.number: _watch(spec, feed, self._reporter) for spec, feed in together}
            members = [Member.of(spec, feed) for spec, feed in together]
            self._drive(Running.begun(self._program.loop, members, size))

    def _drive(self, running: Running) -> None:
        """To the last epoch of the last live trial; what does not fit into memory goes on in two halves."""
        _, first = running.live[0]
        steps = self._program.steps(first.spec, len(first.feed.train))
        while running.live and running.epoch < first.spec.epochs:
            try:
                told = running.advance(steps)
            except tf.errors.ResourceExhaustedError:
                if running.size == 1:
                    raise
                self.limit = running.size // 2
                for half in running.halves():
                    self._drive(half)
                return
            self._tell(running, told)
            smaller = fitting(len(running.live), self.limit)
            if running.live and smaller < running.size:
                running = running.narrowed(smaller)
        if running.live:
            self._conclude(running)

    def _tell(self, running: Running, told: Sequence[tuple[int, Member, Logs, bool]]) -> None:
        """Report an epoch; trials that diverged or are to stop leave."""
        for slot, member, logs, finite in told:
            if not self._watches[member.spec.number](running.epoch - 1, logs, finite):
                running.leave(slot)
                self._reporter(self._ended(member, {}))

    def _conclude(self, running: Running) -> None:
        """Measure what is measured after the last epoch, and end the trials."""
        final: dict[int, Logs] = {slot: {} for slot, _ in running.live}
        if self._program.averages:  # the weights are no longer those that the last epoch was validated with
            running.finish()
            for slot, logs in running.measured().items():
                final[slot].update(prefixed("val_", logs))
        correct: dict[int, Flags] = {}
        test = _opened(running)
        if test is not None:
            for slot, logs in running.measured(test).items():
                final[slot].update(prefixed("test_", logs))
            _, first = running.live[0]
            if tells_rows(first.spec, first.feed.info.task):
                correct = {slot: Flags.of(flags) for slot, flags in running.classified(test).items()}
        running.took_time()
        for slot, member in running.live:
            end = self._ended(member, final[slot], correct.get(slot))
            if self._keep is not None and end.status is Status.COMPLETED:
                model = self._program.copy(member.spec.seeds.init, running.values(slot))
                keep_model(self._keep, model, member.feed)
            self._reporter(end)

    def _ended(self, member: Member, final: Mapping[str, float], correct: Flags | None = None) -> TrialEnded:
        in_units = in_original_unit(final, member.feed.split.target_sd)
        return replace(self._watches[member.spec.number].end(in_units, correct), duration_s=member.seconds)


def fitting(trials: int, limit: int) -> int:
    """Size of the stack for so many trials: whole vectors; powers of two where memory allows no vector."""
    if limit < LANES:
        return 1 << (min(trials, limit).bit_length() - 1)
    return min(-(-trials // LANES) * LANES, limit // LANES * LANES)


def _opened(running: Running) -> Pile | None:
    """The sealed test rows of every live trial, which are opened only in the stages that are evidence."""
    if running.live[0][1].spec.stage not in TESTED_STAGES:
        return None
    parts = {member.spec.seeds.split: member.feed.open_test() for _, member in running.live}
    return Pile(parts) if all(map(len, parts.values())) else None


def _watch(spec: TrialSpec, feed: Feed, reporter: Reporter) -> Watch:
    return Watch(spec, feed.split.target_sd, reporter)

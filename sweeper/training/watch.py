"""What follows a trial from outside, whichever way it is trained: epochs are reported, divergence and stops noticed."""

from __future__ import annotations

import math
from collections.abc import Mapping

from sweeper.protocols import Report
from sweeper.training.metrics import Logs, in_original_unit
from sweeper.trial import EpochEnded, Flags, Signal, TrialEnded, TrialSpec


class Reporter:
    """Passes events on, and remembers what the coordinator raised: that is no fault of the trial."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.error: BaseException | None = None

    def __call__(self, event: EpochEnded | TrialEnded) -> Signal:
        """Report an event; the answer counts for an epoch."""
        try:
            return self._report(event)
        except BaseException as error:
            self.error = error
            raise


class Watch:
    """Follows a trial epoch by epoch, and ends it when it diverges or the coordinator says so.

    Attributes:
        epoch: the last that was seen.
        metrics: of the last epoch whose numbers were finite.
    """

    def __init__(self, spec: TrialSpec, target_sd: float, reporter: Reporter) -> None:
        self._spec, self._target_sd, self._reporter = spec, target_sd, reporter
        self.epoch = 0
        self.metrics: Logs = {}
        self.diverged = False
        self.stopped = False

    def __call__(self, epoch: int, logs: Logs, weights_are_finite: bool) -> bool:
        """Take note of an epoch; whether to go on."""
        self.epoch = epoch
        self.diverged = not (weights_are_finite and all_finite(logs))
        if self.diverged:
            return False
        self.metrics = in_original_unit(logs, self._target_sd)
        self.stopped = self._reporter(EpochEnded(self._spec.number, epoch, self.metrics)) is Signal.STOP
        return not self.stopped

    def end(self, final: Mapping[str, float], correct: Flags | None = None) -> TrialEnded:
        """How the trial has ended.

        Args:
            correct: which test rows it classified correctly, where that is evidence.
            final: what was measured after the last epoch, in the units of the data; nothing for a trial that was cut
                short.
        """
        if self.diverged or not (self.stopped or all_finite(final)):
            return TrialEnded.diverged(self._spec, self.epoch)
        if self.stopped:
            return TrialEnded.pruned(self._spec, self.metrics, epochs=self.epoch + 1)
        return TrialEnded.completed(self._spec, {**self.metrics, **final}, correct=correct)


def all_finite(logs: Mapping[str, float]) -> bool:
    """Whether no metric is NaN or infinite."""
    return all(map(math.isfinite, logs.values()))


def prefixed(prefix: str, logs: Mapping[str, float]) -> Logs:
    """The same metrics under longer names."""
    return {prefix + name: value for name, value in logs.items()}

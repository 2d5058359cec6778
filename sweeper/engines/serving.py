"""How any engine runs a cohort: every trial ends exactly once, whatever the trainer does."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Union

from sweeper.data import Dataset
from sweeper.protocols import Trainer
from sweeper.trial import Cohort, EpochEnded, Signal, Status, TrialEnded


@dataclass(frozen=True)
class CohortDone:
    """A worker's last word about a cohort; one that retires ends itself and wants no other."""

    retires: bool = False


@dataclass(frozen=True)
class WorkerFailed:
    """A worker cannot work at all.

    Attributes:
        document: the reason, as `SweeperError.to_dict` writes it.
    """

    document: dict[str, Any]


Send = Callable[[Union[EpochEnded, TrialEnded]], Signal]


def serve(cohort: Cohort, trainer: Trainer, data: Dataset, send: Send) -> None:
    """Train a cohort and send its events; a trial that the trainer raised in, or forgot, has FAILED.

    What a trainer reports is checked here, at the border to user code: an event that is none, that belongs to a trial
    of another cohort or that has ended, or whose metrics are no numbers, raises in the trainer.
    """
    numbers = {spec.number for spec in cohort.trials}
    sent: set[int] = set()

    def report(event: EpochEnded | TrialEnded) -> Signal:
        event = _checked(event, numbers)
        if event.number in sent:
            if isinstance(event, EpochEnded):
                raise ValueError(f"an epoch of trial {event.number}, which has ended")
            return Signal.CONTINUE
        signal = send(event)
        if isinstance(event, TrialEnded):
            sent.add(event.number)
        return signal

    reason = "the trainer returned no result for this trial"
    try:
        for ended in trainer(cohort, data, report) or ():
            report(ended)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the border to user code
        reason = f"{type(error).__name__}: {error}{_place(error)}"
    for spec in cohort.trials:
        report(TrialEnded.failed(spec, reason))


def _checked(event: Any, numbers: set[int]) -> EpochEnded | TrialEnded:
    """The event with plain numbers as metrics, so that it can be sent whatever the trainer computed them with."""
    if not isinstance(event, (EpochEnded, TrialEnded)):
        raise TypeError(f"a trainer reports EpochEnded or TrialEnded, not {type(event).__name__}")
    if event.number not in numbers:
        raise ValueError(f"{type(event).__name__} of trial {event.number}, which is not in this cohort")
    if isinstance(event, TrialEnded) and not isinstance(event.status, Status):
        raise TypeError(f"status of trial {event.number}: {event.status!r} is not a Status")
    if not isinstance(event.metrics, Mapping):
        raise TypeError(f"metrics of trial {event.number}: {type(event.metrics).__name__} is not a mapping")
    metrics = {str(name): _number(event, name, value) for name, value in event.metrics.items()}
    return replace(event, number=int(event.number), metrics=metrics)


def _number(event: EpochEnded | TrialEnded, name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name} of trial {event.number}: {value!r} is not a number") from None


def _place(error: BaseException) -> str:
    """Where the trainer raised; nothing if it was its result that raised."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    return f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""

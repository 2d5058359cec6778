"""How any engine runs a cohort: every trial ends exactly once, whatever the trainer does."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Union

from sweeper.data import Dataset
from sweeper.protocols import Trainer
from sweeper.trial import Cohort, EpochEnded, Signal, TrialEnded


@dataclass(frozen=True)
class CohortDone:
    """A worker's last word about a cohort; one that retires ends itself and wants no other."""

    retires: bool = False


Send = Callable[[Union[EpochEnded, TrialEnded]], Signal]


def serve(cohort: Cohort, trainer: Trainer, data: Dataset, send: Send) -> None:
    """Train a cohort and send its events; a trial that the trainer raised in, or forgot, has FAILED."""
    sent: set[int] = set()

    def report(event: EpochEnded | TrialEnded) -> Signal:
        if isinstance(event, TrialEnded):
            if event.number in sent:
                return Signal.CONTINUE
            sent.add(event.number)
        return send(event)

    reason = "the trainer returned no result for this trial"
    try:
        for ended in trainer(cohort, data, report) or ():
            report(ended)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the border to user code
        last = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"{type(error).__name__}: {error} ({last.filename}:{last.lineno})"
    for spec in cohort.trials:
        report(TrialEnded.failed(spec, reason))

"""`sweeper plan`: what a study will train, how long that takes here, and what difference it can find."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sweeper.commands import planning
from sweeper.commands.engine import workers
from sweeper.commands.prepare import Prepared, prepare
from sweeper.engines import forking
from sweeper.engines.processes import ProcessEngine
from sweeper.errors import ModelError, Problem
from sweeper.report.units import duration
from sweeper.study_file import StudyFile
from sweeper.trial import Cohort, Event, Signal, Stage, TrialEnded, TrialSpec
from sweeper.worker import Payload
from sweeper.worker import main as worker_main

_FACTORS = {2: 2.6, 3: 3.2, 4: 3.5, 5: 3.7, 6: 3.9}
"""Finalists -> lead that is found with 80 % power, times sqrt(seeds), in sds of a paired difference (simulated;
docs/statistics.md)."""

COORDINATION_S = 0.02
"""What a trial costs besides its training: planning, the ledger, the tracker's queue (measured, one coordinator)."""

PROBE_S = 4.0
"""So long the last trial of a probe may take; with start-up and compiling the probe stays near ten seconds."""

_TYPICAL_ERROR = 0.05
"""For the noise floor before anything is trained."""


@dataclass(frozen=True)
class Plan:
    """What `plan` tells.

    Attributes:
        trials: stage -> (least, most).
        detectable_sd: seeds -> lead that is found with 80 % power, in sds of a paired difference.
        noise_floor: sd of an accuracy on the test rows at an error of 5 %: sqrt(error / 2n) (Jordan 2023); None for
            other metrics.
        trial_s: seconds a trial while all workers train, None without a probe.
        total_s: (least, most) seconds for the study on `workers` workers.
    """

    study: str
    combinations: int
    points: int
    trials: dict[str, tuple[int, int]]
    finalists: tuple[int, int]
    seeds: int
    detectable_sd: dict[int, float]
    noise_floor: float | None
    workers: int
    trial_s: float | None
    total_s: tuple[float, float] | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def plan(file: StudyFile, *, probe: bool, wanted_workers: int | None = None) -> Plan:
    """Count, and train a few short trials to see how long one takes.

    Raises:
        SweeperError: the study cannot be run.
    """
    if probe and file.config.trainer is None:
        forking.warm_up("sweeper.preload", None)
    study = prepare(file)
    finalists = planning.finalist_counts(study) if study.looks else (0, 0)
    trials = {stage.value: counts for stage, counts in planning.expected(study).items()}
    slots = workers(wanted_workers or file.config.engine.workers)
    probed = _probe(study, slots) if probe else None
    total = None
    if probed is not None:
        low, high = (sum(count[end] for count in trials.values()) for end in (0, 1))
        combinations = len(study.space.combinations())
        total = probed.total_s(low, combinations, slots)[0], probed.total_s(high, combinations, slots)[1]
    return Plan(
        study=file.config.name,
        combinations=len(study.space.combinations()),
        points=study.points,
        trials=trials,
        finalists=finalists,
        seeds=study.looks[-1] if study.looks else 0,
        detectable_sd={seeds: _detectable(finalists[1], seeds) for seeds in study.looks},
        noise_floor=_noise_floor(study),
        workers=slots,
        trial_s=None if probed is None else probed.trial_s,
        total_s=total,
    )


def words(plan: Plan) -> str:
    """The plan for people."""
    lines = [f"{plan.study}: {plan.combinations} combinations"]
    for stage, (low, high) in plan.trials.items():
        count = str(low) if low == high else f"{low} to {high}"
        lines.append(f"  {stage:<9} {count} trials{_how(plan, stage)}")
    if plan.total_s is not None and plan.trial_s is not None:
        low_s, high_s = plan.total_s
        lines.append(
            f"  time      about {duration(low_s)} to {duration(high_s)} on {plan.workers} workers"
            f" ({plan.trial_s:.2g} s a trial in a short probe; start-up and report apart)"
        )
    for seeds, lead in plan.detectable_sd.items():
        lines.append(f"  {seeds:>3} seeds  find a lead of {lead:.2f} sd of a paired difference (80 % power)")
    if plan.noise_floor is not None:
        points = 100 * plan.noise_floor
        lines.append(
            f"  test rows alone let an accuracy vary by about {points:.1f} points (sd, at 95 % accuracy);"
            " leads below that need many seeds"
        )
    return "\n".join(lines)


def _how(plan: Plan, stage: str) -> str:
    if stage == Stage.EXPLORE.value:
        return f" ({plan.points} settings a combination)"
    if stage == Stage.CONFIRM.value:
        low, high = plan.finalists
        count = str(high) if low == high else f"{low} to {high}"
        return f" ({count} finalists, up to {plan.seeds} seeds each)"
    return ""


def _detectable(finalists: int, seeds: int) -> float:
    return round(_FACTORS[min(max(finalists, 2), 6)] / math.sqrt(seeds), 2)


def _noise_floor(study: Prepared) -> float | None:
    rows = study.data.sizes()["test"]
    return math.sqrt(_TYPICAL_ERROR / (2 * rows)) if study.objective.metric == "accuracy" and rows else None


@dataclass(frozen=True)
class Probe:
    """What short trainings told.

    Attributes:
        trial_s: seconds of a trial whose program is compiled already.
        first_s: how much longer the first of a combination takes.
    """

    trial_s: float
    first_s: float

    def total_s(self, trials: int, combinations: int, slots: int) -> tuple[float, float]:
        """Seconds for so many trials: least if every combination is compiled once, most if by every worker."""
        training = self.trial_s * trials / slots + COORDINATION_S * trials
        return training + self.first_s * combinations / slots, training + self.first_s * combinations


def _probe(study: Prepared, slots: int) -> Probe:
    """Train two short cohorts on each worker, of a combination each: all workers at once, as in the study.

    The first cohort compiles, and its second trial tells how many epochs the second cohort can afford. Time an epoch is
    the whole duration of a warm trial over its epochs, so that it never comes out too small.
    """
    first = planning.first_trial(study)
    combinations = study.space.combinations()
    position = [0.5] * len(study.space.tuned_names())
    drafts = [
        replace(first, combination=chosen, params=study.space.at(chosen, position), epochs=1)
        for chosen in (combinations[slot * len(combinations) // slots % len(combinations)] for slot in range(slots))
    ]
    short = [_cohort(draft, 4 * slot, 1) for slot, draft in enumerate(drafts)]
    ended: dict[int, TrialEnded] = {}
    waiting = list(reversed(short))

    def on_event(event: Event) -> Signal:
        if isinstance(event, TrialEnded):
            ended[event.number] = event
            slot, place = divmod(event.number, 4)
            if place == 1:
                epochs = affordable(first.epochs, event.duration_s)
                waiting.append(_cohort(drafts[slot], event.number + 1, epochs))
        return Signal.CONTINUE

    setup = planning.setup(study, workers=slots)
    payload: Callable[[], Payload] = lambda: Payload(setup, study.data, first)  # noqa: E731
    engine = ProcessEngine(worker_main, payload, workers=slots, per_trial_s=study.config.budget.per_trial)
    engine.run(lambda _choose=None, /: waiting.pop() if waiting else None, on_event)
    failed = next((end for end in ended.values() if end.status.is_failure), None)
    if failed is not None:
        where = f"probe of {drafts[failed.number // 4].combination}"
        raise ModelError(Problem(where, "a trial that trains", failed.reason or "", "mend the model or its options"))
    return told_by(first.epochs, [[ended[4 * slot + place] for place in range(4)] for slot in range(slots)])


def _cohort(draft: TrialSpec, number: int, epochs: int) -> Cohort:
    return Cohort((replace(draft, number=number), replace(draft, number=number + 1, epochs=epochs)))


def affordable(epochs: int, epoch_s: float) -> int:
    """How many epochs of `epoch_s` seconds a probe trains: a quarter of them, at least 5, but `PROBE_S` at most."""
    wanted = min(epochs, max(5, math.ceil(epochs / 4)))
    return max(1, min(wanted, int(PROBE_S / max(epoch_s, 1e-9))))


def told_by(epochs: int, ends: Sequence[Sequence[TrialEnded]]) -> Probe:
    """Mean over the workers of what their four trials (cold, warm, warm, long) tell about trials of `epochs` epochs."""
    longest = [end[3].duration_s / max(end[3].epochs, 1) * epochs for end in ends]
    compiling = [max(end[0].duration_s - min(end[1].duration_s, end[2].duration_s), 0.0) for end in ends]
    return Probe(sum(longest) / len(ends), sum(compiling) / len(ends))

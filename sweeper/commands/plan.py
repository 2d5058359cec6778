"""`sweeper plan`: what a study will train, how long that takes here, and what difference it can find."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from sweeper.commands import planning
from sweeper.commands.prepare import Prepared, prepare
from sweeper.commands.run import workers
from sweeper.engines import processes
from sweeper.errors import ModelError, Problem
from sweeper.report.units import duration
from sweeper.study_file import StudyFile
from sweeper.trial import Cohort, Event, Signal, Stage, TrialEnded, TrialSpec
from sweeper.worker import Payload
from sweeper.worker import main as worker_main

_FACTORS = {2: 2.6, 3: 3.2, 4: 3.5, 5: 3.7, 6: 3.9}
"""Finalists -> lead that is found with 80 % power, times sqrt(seeds), in sds of a paired difference (METHODOLOGY,
section 2; simulated)."""

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
        trial_s: seconds a trial on one worker, None without a probe.
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
    """Count, and train three short trials to see how long one takes.

    Raises:
        SweeperError: the study cannot be run.
    """
    if probe and file.config.trainer is None:
        processes.warm_up("sweeper.preload", None)
    study = prepare(file)
    finalists = planning.finalist_counts(study) if study.looks else (0, 0)
    trials = {stage.value: counts for stage, counts in planning.expected(study).items()}
    slots = workers(wanted_workers or file.config.engine.workers)
    trial_s, first_s = _probe(study) if probe else (None, None)
    total = None
    if trial_s is not None and first_s is not None:
        extra = first_s * len(study.space.combinations())
        counts = [sum(count[end] for count in trials.values()) for end in (0, 1)]
        total = (trial_s * counts[0] + extra) / slots, (trial_s * counts[1] + extra) / slots
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
        trial_s=trial_s,
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
            f"  time      {duration(low_s)} to {duration(high_s)} on {plan.workers} workers"
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


def _probe(study: Prepared) -> tuple[float, float]:
    """Seconds a trial, and how much longer the first of a combination takes (it compiles)."""
    first = planning.first_trial(study)
    specs = [replace(first, number=number, epochs=epochs) for number, epochs in enumerate((1, 1, 3))]
    seconds = _trained(study, specs)
    epoch_s = max((seconds[2] - seconds[1]) / 2, 0.0)
    trial_s = seconds[1] + epoch_s * (first.epochs - 1)
    return trial_s, max(seconds[0] - seconds[1], 0.0)


def _trained(study: Prepared, specs: list[TrialSpec]) -> list[float]:
    ended: dict[int, TrialEnded] = {}
    waiting = [Cohort(tuple(specs))]

    def on_event(event: Event) -> Signal:
        if isinstance(event, TrialEnded):
            ended[event.number] = event
        return Signal.CONTINUE

    payload: Callable[[], Payload] = lambda: Payload(study.setup, study.data, specs[0])  # noqa: E731
    engine = processes.ProcessEngine(worker_main, payload, workers=1, per_trial_s=study.config.budget.per_trial)
    engine.run(lambda: waiting.pop() if waiting else None, on_event)
    failed = next((end for end in ended.values() if end.status.is_failure), None)
    if failed is not None:
        where = f"probe of {specs[0].combination}"
        raise ModelError(Problem(where, "a trial that trains", failed.reason or "", "mend the model or its options"))
    return [ended[spec.number].duration_s for spec in specs]

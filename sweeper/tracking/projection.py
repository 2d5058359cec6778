"""A finished trial as MLflow should show it: a pure function of the record, so that sending it twice changes nothing.

Every timestamp comes from the record. MLflow keeps one point for equal key, value, step and timestamp; with the
clock's time instead, a second sending would double every curve.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sweeper.trial import Stage, Status, TrialRecord, TrialSpec

SEEDED = (Stage.RACE, Stage.CONFIRM)
"""Stages in which one setting is trained with several seeds, so that the seed tells runs apart."""

RUN_STATUS: Mapping[Status, str] = {
    Status.COMPLETED: "FINISHED",
    Status.DIVERGED: "FINISHED",  # an answer about this setting, not a fault
    Status.PRUNED: "KILLED",
    Status.FAILED: "FAILED",
    Status.CRASHED: "FAILED",
    Status.TIMED_OUT: "FAILED",
}


_LONGEST = 6000
"""Characters of a param that MLflow keeps."""


@dataclass(frozen=True)
class Point:
    """One value of a metric, always finite."""

    key: str
    value: float
    timestamp_ms: int
    step: int


@dataclass(frozen=True)
class ChildRun:
    """A trial in MLflow's terms."""

    name: str
    status: str
    start_ms: int
    end_ms: int
    params: Mapping[str, str]
    metrics: tuple[Point, ...]
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Projection:
    """From records to runs.

    Attributes:
        metric: plain name of what the study optimises, such as `accuracy`.
        maximize: whether more of it is better.
        tags: those that every run of the study carries.
    """

    metric: str
    maximize: bool
    tags: Mapping[str, str] = field(default_factory=dict)

    def child(self, record: TrialRecord) -> ChildRun:
        """The run of one trial."""
        end_ms = round(record.ended_at * 1000)
        start_ms = max(0, round((record.ended_at - record.ended.duration_s) * 1000))
        return ChildRun(
            name=run_name(record.spec),
            status=RUN_STATUS[record.ended.status],
            start_ms=start_ms,
            end_ms=end_ms,
            params={**flat(record.spec.params), **_magnitude(record.spec.params.get("learning_rate"))},
            metrics=(*_curve(record, start_ms, end_ms), *self._summary(record, end_ms)),
            tags={**self.tags, **_tags(record)},
        )

    def _summary(self, record: TrialRecord, end_ms: int) -> Iterator[Point]:
        """Values of the trial as a whole: the final ones, the best epoch, the time."""
        watched = f"val_{self.metric}"
        final = dict(record.ended.metrics)
        values = {name: value for name, value in final.items() if not _is_last(record, name, value)}
        if watched in final:
            values["objective"] = final[watched]
        best = self._best_epoch(record.curve.get(watched, ()))
        if best is not None:
            values["best_epoch"] = best
            values[f"best_{watched}"] = record.curve[watched][best]
        values["duration_s"] = record.ended.duration_s
        for name, value in values.items():
            step = len(record.curve[name]) - 1 if name in record.curve else 0
            if math.isfinite(value):
                yield Point(key(name), float(value), end_ms, step)

    def _best_epoch(self, curve: tuple[float, ...]) -> int | None:
        known = [epoch for epoch, value in enumerate(curve) if math.isfinite(value)]
        sign = 1 if self.maximize else -1
        return max(known, key=lambda epoch: sign * curve[epoch], default=None)


def run_name(spec: TrialSpec) -> str:
    """`relu + adam · lr 3.1e-3 · seed 4`, `race 4` in a race; a number where several are trained, a tuned rate."""
    parts = [str(spec.combination)] if len(spec.combination) else [f"trial {spec.number}"]
    rate = spec.params.get("learning_rate")
    if isinstance(rate, (int, float)) and "learning_rate" not in spec.combination:
        parts.append(f"lr {_rate(rate)}")
    if spec.stage in SEEDED:
        parts.append(f"{'race' if spec.stage is Stage.RACE else 'seed'} {spec.repetition}")
    if spec.stage is Stage.KEEP:
        parts.append("kept")
    return " · ".join(parts)


def _magnitude(rate: Any) -> dict[str, str]:
    """The learning rate as a power of ten: MLflow's parallel coordinates have linear axes only."""
    if not isinstance(rate, (int, float)) or not 0.0 < rate < math.inf:
        return {}
    return {"learning_rate_log10": f"{math.log10(rate):.2f}"}


def _rate(rate: float) -> str:
    """Two digits: `3.1e-3`, `0.25`, `10`."""
    if rate >= 0.1:
        return f"{rate:.2g}"
    mantissa, exponent = f"{rate:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Parameters as MLflow holds them: nested mappings by dotted keys, sequences as JSON, everything else as text."""
    result: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            result.update(flat(value, f"{prefix}{name}."))
        elif isinstance(value, (list, tuple)):
            result[key(prefix + name)] = json.dumps(value, default=str)[:_LONGEST]
        else:
            result[key(prefix + name)] = str(value)[:_LONGEST]
    return result


def key(name: str) -> str:
    """A name that every MLflow store takes: letters, digits, `_ . -` and spaces, at most 250 characters."""
    return re.sub(r"[^\w.\- ]", "_", name).lstrip(".")[:250] or "_"


def _curve(record: TrialRecord, start_ms: int, end_ms: int) -> Iterator[Point]:
    """One point an epoch, spread evenly over the time of the training; NaN and infinity have no place on a chart."""
    for name, values in record.curve.items():
        shown = key(name)
        for epoch, value in enumerate(values):
            if math.isfinite(value):
                at = start_ms + round((end_ms - start_ms) * (epoch + 1) / len(values))
                yield Point(shown, float(value), at, epoch)


def _is_last(record: TrialRecord, name: str, value: float) -> bool:
    return record.curve.get(name, ())[-1:] == (value,)


def _tags(record: TrialRecord) -> dict[str, str]:
    spec, ended = record.spec, record.ended
    tags = {
        "sweeper.trial": str(spec.number),
        "sweeper.stage": str(spec.stage),
        "sweeper.combination": str(spec.combination),
        "sweeper.seed": str(spec.repetition),
        "sweeper.status": str(ended.status),
    }
    if ended.reason:
        tags["sweeper.reason"] = ended.reason[:5000]  # MLflow takes 8000 characters; a traceback's head says less
    return tags

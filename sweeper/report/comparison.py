"""Two studies side by side: what is known of each, how they differ, and the same told in words.

Differences are the second minus the first in the metric's own unit; `better` says which way is good.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sweeper.report.units import Units
from sweeper.trial import Combination
from sweeper.verdict import Interval


@dataclass(frozen=True)
class Contender:
    """A combination in confirmation: mean over its seeds, simultaneous interval over its own study's finalists."""

    combination: Combination
    score: float
    interval: Interval
    seeds: int
    in_set: bool
    is_pick: bool


@dataclass(frozen=True)
class Side:
    """One study.

    Attributes:
        label: what it is called here: its name, with its folder where both have the same one.
        finalists: best first.
        expected: combination -> estimate of exploration and its sd (None where there is none).
    """

    label: str
    folder: str
    outcome: str
    complete: bool
    pick: Combination | None
    finalists: tuple[Contender, ...]
    expected: Mapping[Combination, tuple[float, float | None]]

    @property
    def champion(self) -> Contender | None:
        """The pick, if it was confirmed."""
        return next((each for each in self.finalists if each.is_pick), None)

    def contender(self, combination: Combination) -> Contender | None:
        """A combination, if it was confirmed."""
        return next((each for each in self.finalists if each.combination == combination), None)


@dataclass(frozen=True)
class Gap:
    """A difference of two means; `paired`: seed by seed over `seeds` of them."""

    mean: float
    interval: Interval
    paired: bool
    seeds: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        method = "paired t" if self.paired else "Welch t"
        interval = [self.interval.low, self.interval.high]
        return {"mean": self.mean, "interval": interval, "method": method, "seeds": self.seeds}


@dataclass(frozen=True)
class Shared:
    """A combination that both studies have; `gap` only where both confirmed it."""

    combination: Combination
    gap: Gap | None


@dataclass(frozen=True)
class Comparison:
    """Everything that can be said about two studies of the same data.

    Attributes:
        alpha: of each interval; those of shared combinations hold together.
        gap: of the picks; None unless both were confirmed.
        shared: those that both confirmed first.
        differs: dotted key of the study files, value of the first and of the second.
    """

    first: Side
    second: Side
    metric: str
    maximize: bool
    alpha: float
    epsilon: float
    gap: Gap | None
    shared: tuple[Shared, ...]
    differs: tuple[tuple[str, Any, Any], ...]
    notes: tuple[str, ...]

    @property
    def sign(self) -> int:
        """+1 or -1: `sign * score` is higher for the better."""
        return 1 if self.maximize else -1

    @property
    def conclusion(self) -> str:
        """`first`, `second`, `same` (to within epsilon), `not separated`, or `unknown`."""
        if self.gap is None:
            return "unknown"
        ends = sorted(self.sign * end for end in (self.gap.interval.low, self.gap.interval.high))
        if max(map(abs, ends)) <= self.epsilon:
            return "same"
        return "second" if ends[0] > 0 else "first" if ends[1] < 0 else "not separated"

    def units(self) -> Units:
        """How scores and gaps are written."""
        contenders = [*self.first.finalists, *self.second.finalists]
        widths = [(each.interval.high - each.interval.low) / 2 for each in contenders]
        return Units.fitting(self.metric, self.maximize, widths, [each.score for each in contenders])

    def to_dict(self) -> dict[str, Any]:
        """The document that `--json` prints."""
        return {
            "first": _side(self.first),
            "second": _side(self.second),
            "metric": self.metric,
            "goal": "maximize" if self.maximize else "minimize",
            "alpha": self.alpha,
            "epsilon": self.epsilon,
            "conclusion": self.conclusion,
            "difference": None if self.gap is None else self.gap.to_dict(),
            "shared": [
                {
                    "combination": dict(each.combination),
                    "first": _known(self.first, each.combination),
                    "second": _known(self.second, each.combination),
                    "difference": None if each.gap is None else each.gap.to_dict(),
                }
                for each in self.shared
            ],
            "differs": [{"key": key, "first": one, "second": other} for key, one, other in self.differs],
            "notes": list(self.notes),
        }


def _side(side: Side) -> dict[str, Any]:
    return {
        "study": side.label,
        "folder": side.folder,
        "outcome": side.outcome,
        "complete": side.complete,
        "pick": None if side.pick is None else dict(side.pick),
        "finalists": [{"combination": dict(each.combination), **_scored(each)} for each in side.finalists],
    }


def _scored(each: Contender) -> dict[str, Any]:
    return {
        "score": each.score,
        "interval": [each.interval.low, each.interval.high],
        "seeds": each.seeds,
        "in_set": each.in_set,
    }


def _known(side: Side, combination: Combination) -> dict[str, Any]:
    estimate, sd = side.expected.get(combination, (None, None))
    contender = side.contender(combination)
    return {"estimate": estimate, "estimate_sd": sd, **({} if contender is None else _scored(contender))}

"""The shape of an answer. No arithmetic lives here: `stats` computes, `report` tells.

Scores are in the metric's own unit and direction; only `regret` and `lead` are oriented (never negative).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sweeper.trial import Combination


class Outcome(str, enum.Enum):
    """What can honestly be said."""

    WINNER = "WINNER"
    """One combination may be best, and leads every other finalist by at least epsilon."""
    TIE = "TIE"
    """Whoever may be best is within epsilon of the best."""
    NOT_SEPARATED = "NOT_SEPARATED"
    """Several may be best, and more than epsilon may lie between them."""
    NO_VERDICT = "NO_VERDICT"
    """Too little was trained to say anything."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Objective:
    """What is optimised.

    Attributes:
        metric: plain name, such as `accuracy`; trials carry it as `val_accuracy` and `test_accuracy`.
        maximize: whether more is better.
        epsilon: smallest difference that matters, in the metric's unit.
        relative: whether `epsilon` is a share of the leader's score instead.
        tie_break: metric that decides when the first one is at its ceiling.
        tie_break_maximize: whether more of it is better.
    """

    metric: str
    maximize: bool
    epsilon: float
    relative: bool = False
    tie_break: str | None = None
    tie_break_maximize: bool = False

    @property
    def validation(self) -> str:
        """The metric that exploration is scored by."""
        return f"val_{self.metric}"

    @property
    def test(self) -> str:
        """The metric that confirmation is scored by."""
        return f"test_{self.metric}"

    @property
    def sign(self) -> int:
        """+1 or -1: `sign * score` is higher for the better."""
        return 1 if self.maximize else -1


@dataclass(frozen=True)
class Interval:
    """A confidence interval, `low <= high`."""

    low: float
    high: float


@dataclass(frozen=True)
class Finalist:
    """A combination in confirmation.

    Attributes:
        params: what it was trained with, every parameter.
        score: mean over its seeds; `interval` is around it, simultaneous over the finalists.
        scores: one value a seed, in order of repetition.
        regret: with confidence 1 - alpha, it is at most this far below the best.
        in_set: whether it may be the best.
        diverged: how many of its seeds diverged; `unstable` if any did.
        duration_s: median seconds of a training.
    """

    combination: Combination
    params: Mapping[str, Any]
    score: float
    interval: Interval
    scores: tuple[float, ...]
    regret: float
    in_set: bool
    diverged: int = 0
    duration_s: float = 0.0

    @property
    def seeds(self) -> int:
        """How many seeds it was trained with."""
        return len(self.scores)

    @property
    def unstable(self) -> bool:
        """Whether any confirmation run diverged."""
        return self.diverged > 0

    def to_dict(self) -> dict[str, Any]:
        """As the verdict document holds it."""
        return {
            "combination": dict(self.combination),
            "params": dict(self.params),
            "score": self.score,
            "interval": [self.interval.low, self.interval.high],
            "seeds": self.seeds,
            "scores": list(self.scores),
            "regret": self.regret,
            "in_set": self.in_set,
            "unstable": self.unstable,
            "diverged": self.diverged,
            "duration_s": self.duration_s,
        }


@dataclass(frozen=True)
class Explored:
    """A combination in exploration: screening values, not evidence.

    Attributes:
        best: best validation score of its trials, None if none completed.
        best_params: the parameters of that trial.
        estimate: score expected at the best setting, smoothed over the learning rate, and its sd.
    """

    combination: Combination
    trials: int
    best: float | None
    diverged: int
    failed: int = 0
    best_params: Mapping[str, Any] | None = None
    estimate: float | None = None
    estimate_sd: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """As the verdict document holds it."""
        return {
            "combination": dict(self.combination),
            "trials": self.trials,
            "best": self.best,
            "diverged": self.diverged,
            "failed": self.failed,
            "best_params": None if self.best_params is None else dict(self.best_params),
            "estimate": self.estimate,
            "estimate_sd": self.estimate_sd,
        }


@dataclass(frozen=True)
class Pick:
    """The one combination to use tomorrow, whatever the outcome.

    Attributes:
        expected: what its next training can be expected to score, in the metric's unit: the mean over its seeds, less
            what being chosen for that mean adds to it; None where it was not confirmed.
    """

    combination: Combination
    params: Mapping[str, Any]
    expected: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """As the verdict document holds it."""
        return {"combination": dict(self.combination), "params": dict(self.params), "expected": self.expected}


@dataclass(frozen=True)
class Verdict:
    """The answer of a study; `to_dict` is the verdict document (verdict.json, `--json`).

    Attributes:
        winner: set only if the outcome is WINNER.
        regret: with confidence 1 - alpha the pick is at most this far below the best finalist; None without a
            confirmation.
        may_be_best: the combinations that may be best (`set` in the document).
        lead: by how much the leader's mean is ahead of the runner-up's.
        seeds_needed: seeds a finalist that would probably separate them, where the outcome is NOT_SEPARATED.
        decided_by: the metric that `regret`, `may_be_best`, `lead`, `epsilon` and the finalists' `regret` and `in_set`
            are about: `metric`, or the declared tie-break where that is at its ceiling. Scores and intervals are
            always those of `metric`.
        complete: whether the whole plan was trained.
        notes: threats that a reader must know: optimum on a border, ceiling, unstable, budget, cut-off finalists.
        trials: stage -> status -> count.
        tracking: `uri`, `experiment`, `run_id` of the parent run, or None if nothing was tracked.
    """

    study: str
    outcome: Outcome
    winner: Combination | None
    pick: Pick | None
    regret: float | None
    may_be_best: tuple[Combination, ...]
    finalists: tuple[Finalist, ...]
    explored: tuple[Explored, ...]
    metric: str
    goal: str
    alpha: float
    epsilon: float
    strategy: str = "balanced"
    lead: float | None = None
    seeds_needed: int | None = None
    complete: bool = True
    decided_by: str | None = None
    notes: tuple[str, ...] = ()
    trials: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    duration_s: float = 0.0
    tracking: Mapping[str, str | None] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The verdict document, JSON-ready."""
        return {
            "study": self.study,
            "outcome": self.outcome.value,
            "winner": None if self.winner is None else dict(self.winner),
            "pick": None if self.pick is None else self.pick.to_dict(),
            "regret": self.regret,
            "set": [dict(combination) for combination in self.may_be_best],
            "finalists": [finalist.to_dict() for finalist in self.finalists],
            "explored": [explored.to_dict() for explored in self.explored],
            "metric": self.metric,
            "goal": self.goal,
            "alpha": self.alpha,
            "epsilon": self.epsilon,
            "decided_by": self.metric if self.decided_by is None else self.decided_by,
            "strategy": self.strategy,
            "lead": self.lead,
            "seeds_needed": self.seeds_needed,
            "complete": self.complete,
            "notes": list(self.notes),
            "trials": {stage: dict(counts) for stage, counts in self.trials.items()},
            "duration_s": self.duration_s,
            "tracking": None if self.tracking is None else dict(self.tracking),
        }

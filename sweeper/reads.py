"""What a study shows besides its verdict. No arithmetic lives here: `stats` computes, `report` tells.

None of it is evidence for a winner: everything but `Speed` rests on the single runs that chose the finalists.
Scores are in the metric's own unit and direction; effects and rests are oriented: higher is better. A cost or a spread
is never negative.
"""

from __future__ import annotations

from dataclasses import dataclass

from sweeper.trial import Combination, Scalar


@dataclass(frozen=True)
class Level:
    """A value of a compared parameter, averaged over the others.

    Attributes:
        effect: how far the average lies above that of all values, in the metric's unit; `sd` of it.
        combinations: how many have a score with this value.
    """

    value: Scalar
    effect: float
    sd: float
    combinations: int


@dataclass(frozen=True)
class Factor:
    """A compared parameter: does it matter at all?

    Attributes:
        levels: best first.
        spread: effect of the best value minus that of the worst.
        at_most: with 95 % confidence no two values differ by more than this.
        chance: probability of differences this large if the parameter had no influence; None where nothing varies.
    """

    name: str
    levels: tuple[Level, ...]
    spread: float
    at_most: float
    chance: float | None


@dataclass(frozen=True)
class Interplay:
    """Two compared parameters: what is left of a cell when its row and its column are known.

    Attributes:
        rests: combination -> estimate minus what row and column together predict.
        marked: combinations whose rest is more than noise: beyond two sds of the cell's estimate, and rarer than 5 %
            over all cells together.
        chance: probability of rests this large if row and column were all there is; None where nothing varies.
    """

    rests: dict[Combination, float]
    marked: tuple[Combination, ...]
    chance: float | None


@dataclass(frozen=True)
class RateWindow:
    """How much a combination forgives a wrong learning rate.

    Attributes:
        best: learning rate at which the fitted curve is highest.
        low, high: around it, where the curve stays within `tolerance` of its top.
        decades: width of that.
        open: whether the window ends where the trials end: it may be wider.
        random_cost: what the explored learning rates cost on average, compared with the best of the curve.
        trials, diverged: of exploration and race; `diverged_from` is the lowest learning rate that diverged.
    """

    combination: Combination
    best: float
    low: float
    high: float
    decades: float
    open: bool
    random_cost: float
    trials: int
    diverged: int
    diverged_from: float | None


@dataclass(frozen=True)
class Sensitivity:
    """Learning rates: `tolerance` is in the metric's unit; the widest window comes first."""

    tolerance: float
    windows: tuple[RateWindow, ...]


@dataclass(frozen=True)
class Pace:
    """How fast a finalist reaches the target.

    Attributes:
        epochs, seconds: one a seed, rising; infinity where the target was missed. Empty seconds: not measured.
    """

    combination: Combination
    epochs: tuple[float, ...]
    seconds: tuple[float, ...]

    @property
    def reached(self) -> int:
        """How many seeds reached the target."""
        return sum(value < float("inf") for value in self.epochs)


@dataclass(frozen=True)
class Speed:
    """Time to a validation score, from the confirmation.

    Attributes:
        target: the median final score of the finalist that is last in validation.
        longest: epochs of a training.
        paces: fastest first.
    """

    target: float
    longest: int
    paces: tuple[Pace, ...]


@dataclass(frozen=True)
class Tuning:
    """What a number of trials is worth with one value of a compared parameter, everything else drawn at random.

    Attributes:
        expected: (n,) expected best score of 1, 2, ... n trials.
        median: (n,) half of all tries get at least this far; half of them end between `low` and `high`.
        wins: (n,) share of tries in which this value gets further than every other one with as many trials.
        pool: trials that this is computed from.
    """

    value: Scalar
    expected: tuple[float, ...]
    low: tuple[float, ...]
    median: tuple[float, ...]
    high: tuple[float, ...]
    wins: tuple[float, ...]
    pool: int


@dataclass(frozen=True)
class TuningCurves:
    """The values of one compared parameter, the best at the largest budget first."""

    name: str
    curves: tuple[Tuning, ...]

    def leader(self, trials: int) -> Tuning:
        """Who wins most often with a number of trials."""
        return max(self.curves, key=lambda curve: curve.wins[trials - 1])


@dataclass(frozen=True)
class Weight:
    """How much a parameter decides whether a trial is among the best.

    Attributes:
        share: of all parameters together, 0 to 1.
        chance: the share that it would reach in one of twenty studies in which nothing mattered.
    """

    name: str
    share: float
    chance: float


@dataclass(frozen=True)
class Importance:
    """Which parameter decides; the heaviest first. `top` of `trials` count as the best."""

    weights: tuple[Weight, ...]
    top: int
    trials: int


@dataclass(frozen=True)
class Reads:
    """Everything that a study shows besides its verdict; what cannot be read from it is None or empty."""

    factors: tuple[Factor, ...] = ()
    interplay: Interplay | None = None
    sensitivity: Sensitivity | None = None
    speed: Speed | None = None
    tuning: tuple[TuningCurves, ...] = ()
    importance: Importance | None = None

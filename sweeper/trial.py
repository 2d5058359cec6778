"""What is trained and what came of it. Every type here is frozen and goes to JSON and back unchanged.

A `TrialSpec` determines a training completely: two trainings of one spec on one machine give the same numbers.
A `Cohort` is the unit of work: trials that share all that a compiled graph depends on.
"""

from __future__ import annotations

import base64
import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

Scalar = Union[str, int, float, bool, None]
Metrics = Mapping[str, float]
Curve = Mapping[str, tuple[float, ...]]
"""Metric name -> one value an epoch."""


class Stage(str, enum.Enum):
    """The part of the protocol that a trial belongs to."""

    EXPLORE = "explore"
    WIDEN = "widen"
    """A decade more of learning rates, where the best one lay at the end of its range."""
    RACE = "race"
    CONFIRM = "confirm"
    SEARCH = "search"
    KEEP = "keep"
    """The pick, trained once more to be kept as a model; never evidence."""

    def __str__(self) -> str:
        return self.value


class Status(str, enum.Enum):
    """How a trial ended."""

    COMPLETED = "COMPLETED"
    DIVERGED = "DIVERGED"
    PRUNED = "PRUNED"
    FAILED = "FAILED"
    CRASHED = "CRASHED"
    TIMED_OUT = "TIMED_OUT"

    def __str__(self) -> str:
        return self.value

    @property
    def is_failure(self) -> bool:
        """Whether the trial says nothing about its combination and counts against `budget.failures`."""
        return self in (Status.FAILED, Status.CRASHED, Status.TIMED_OUT)


class Signal(enum.Enum):
    """The coordinator's answer to an epoch."""

    CONTINUE = "continue"
    STOP = "stop"


class Combination(Mapping[str, Scalar]):
    """One value for each compared parameter, hashable; prints as `relu + adam`."""

    __slots__ = ("_items",)

    def __init__(self, values: Mapping[str, Scalar]) -> None:
        self._items = tuple(values.items())

    def __getitem__(self, name: str) -> Scalar:
        for key, value in self._items:
            if key == name:
                return value
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items))

    def __str__(self) -> str:
        return " + ".join(str(value) for _, value in self._items)

    def __repr__(self) -> str:
        return f"Combination({dict(self._items)!r})"


@dataclass(frozen=True)
class Seeds:
    """The three sources of randomness of a training; equal across finalists for the same repetition.

    Attributes:
        split: which rows are for training and which for validation.
        init: initial weights, dropout masks and whatever else the model draws.
        shuffle: order of the batches.
    """

    split: int
    init: int
    shuffle: int


@dataclass(frozen=True)
class TrialSpec:
    """One training, determined completely.

    Attributes:
        number: place in the plan, from 0; also the number of the Optuna trial.
        params: every parameter of the trial, those of the combination included.
        repetition: the how-manieth training of its combination in its stage, from 0; trials of one stage and
            repetition share their seeds across combinations.
    """

    number: int
    stage: Stage
    combination: Combination
    params: Mapping[str, Any]
    seeds: Seeds
    epochs: int
    repetition: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "number": self.number,
            "stage": self.stage.value,
            "combination": dict(self.combination),
            "params": dict(self.params),
            "seeds": {"split": self.seeds.split, "init": self.seeds.init, "shuffle": self.seeds.shuffle},
            "epochs": self.epochs,
            "repetition": self.repetition,
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> TrialSpec:
        """The inverse of `to_dict`."""
        return cls(
            number=document["number"],
            stage=Stage(document["stage"]),
            combination=Combination(document["combination"]),
            params=dict(document["params"]),
            seeds=Seeds(**document["seeds"]),
            epochs=document["epochs"],
            repetition=document["repetition"],
        )


@dataclass(frozen=True)
class Cohort:
    """Trials that share everything a compiled graph depends on; one trial is a cohort of one.

    Attributes:
        keep: folder in which the trainer leaves `model.keras` and `predictions.npz` of the (single) trial.
        cramped: whether more of these trials together may be too much for the memory of a worker: one was killed.
        company: these trials and those that had ended when the cohort was cut short, as they were first planned. A
            trainer whose numbers depend on it in the last bit trains them all again; it reports `trials` only.
    """

    trials: tuple[TrialSpec, ...]
    keep: str | None = None
    cramped: bool = False
    company: tuple[TrialSpec, ...] = ()

    def without(self, numbers: frozenset[int]) -> Cohort:
        """The rest of the cohort when the trials with these numbers have ended."""
        left = tuple(spec for spec in self.trials if spec.number not in numbers)
        return replace(self, trials=left, company=self.company or self.trials)

    def parts(self, number: int) -> list[Cohort]:
        """The trials in so many cohorts of nearly equal size, none empty; cramped if there is more than one."""
        total, number = len(self.trials), min(number, len(self.trials))
        ends = [total * part // number for part in range(number + 1)]
        if number == 1:
            return [self]
        return [Cohort(self.trials[a:b], self.keep, cramped=True) for a, b in pairwise(ends)]


@dataclass(frozen=True)
class EpochEnded:
    """An epoch of a trial is over: `metrics` such as `loss`, `val_loss`, `accuracy`, `val_accuracy`."""

    number: int
    epoch: int
    metrics: Metrics


@dataclass(frozen=True)
class Flags:
    """A yes or no for each of many rows, eight to a byte; in JSON `<rows>:<base64 of the bytes>`.

    Attributes:
        packed: as `numpy.packbits` has them; the last byte is filled up with zeros.
    """

    rows: int
    packed: bytes = field(repr=False)

    @classmethod
    def of(cls, values: ArrayLike) -> Flags:
        """From (rows,) booleans.

        Raises:
            ValueError: the values are not one boolean a row.
        """
        flags = np.asarray(values)
        if flags.ndim != 1 or flags.dtype != np.bool_:
            raise ValueError(f"flags are a (rows,) array of booleans, not {flags.shape} of {flags.dtype}")
        return cls(len(flags), np.packbits(flags).tobytes())

    def values(self) -> NDArray[np.bool_]:
        """(rows,) booleans."""
        return np.unpackbits(np.frombuffer(self.packed, dtype=np.uint8), count=self.rows).astype(np.bool_)

    def to_text(self) -> str:
        """As JSON holds it."""
        return f"{self.rows}:{base64.b64encode(self.packed).decode('ascii')}"

    @classmethod
    def from_text(cls, text: str) -> Flags:
        """The inverse of `to_text`."""
        rows, _, packed = text.partition(":")
        return cls(int(rows), base64.b64decode(packed))


@dataclass(frozen=True)
class TrialEnded:
    """A trial is over.

    Attributes:
        metrics: values after the last epoch: `val_<metric>` always, `test_<metric>` in the confirm stage.
        epochs: how many epochs were begun.
        reason: why, unless the status is COMPLETED.
        duration_s: seconds of wall clock spent on this trial alone.
        correct: in the confirm stage of a classification, where the trainer can tell: whether each test row was
            classified correctly, in the order of `Split.open_test`; how much the verdict owes to the choice of the
            test rows is estimated from it.
    """

    number: int
    status: Status
    metrics: Metrics = field(default_factory=dict)
    epochs: int = 0
    reason: str | None = None
    duration_s: float = 0.0
    correct: Flags | None = None

    @classmethod
    def completed(
        cls,
        spec: TrialSpec,
        metrics: Metrics,
        *,
        epochs: int | None = None,
        duration_s: float = 0.0,
        correct: Flags | None = None,
    ) -> TrialEnded:
        """The trial trained to its end."""
        done = spec.epochs if epochs is None else epochs
        return cls(spec.number, Status.COMPLETED, dict(metrics), done, None, duration_s, correct)

    @classmethod
    def diverged(cls, spec: TrialSpec, epoch: int, *, duration_s: float = 0.0) -> TrialEnded:
        """The loss or a weight became NaN or infinite in `epoch`; the no-information score is filled in later."""
        return cls(spec.number, Status.DIVERGED, {}, epoch + 1, f"diverged in epoch {epoch}", duration_s)

    @classmethod
    def pruned(cls, spec: TrialSpec, metrics: Metrics, *, epochs: int, duration_s: float = 0.0) -> TrialEnded:
        """The coordinator answered STOP after `epochs` epochs."""
        return cls(spec.number, Status.PRUNED, dict(metrics), epochs, f"pruned after epoch {epochs - 1}", duration_s)

    @classmethod
    def failed(
        cls, spec: TrialSpec, reason: str, *, status: Status = Status.FAILED, duration_s: float = 0.0
    ) -> TrialEnded:
        """The trial says nothing about its combination."""
        return cls(spec.number, status, {}, 0, reason, duration_s)

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "number": self.number,
            "status": self.status.value,
            "metrics": dict(self.metrics),
            "epochs": self.epochs,
            "reason": self.reason,
            "duration_s": self.duration_s,
            **({} if self.correct is None else {"correct": self.correct.to_text()}),
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> TrialEnded:
        """The inverse of `to_dict`."""
        correct = document.get("correct")
        flags = None if correct is None else Flags.from_text(correct)
        return cls(**{**document, "status": Status(document["status"]), "correct": flags})


@dataclass(frozen=True)
class Heartbeat:
    """Nothing happened for a moment: the coordinator may look at the clock and at signals."""


@dataclass(frozen=True)
class TrainerReady:
    """A worker is about to train.

    Attributes:
        way: how, in a line for people (`graph: one compiled function an epoch`).
        fuse: the same in the word that a study file has for it; the other workers of the study follow it.
        key: under which this is to be remembered, if it was found out by trying.
    """

    way: str
    fuse: str = ""
    key: str | None = None


Event = Union[EpochEnded, TrialEnded, Heartbeat, TrainerReady]


@dataclass(frozen=True)
class TrialRecord:
    """A finished trial as the ledger holds it.

    Attributes:
        curve: metric name -> one value an epoch.
        ended_at: seconds since the epoch (UTC) at which the coordinator heard of it.
    """

    spec: TrialSpec
    ended: TrialEnded
    curve: Curve = field(default_factory=dict)
    ended_at: float = 0.0

    def value(self, metric: str) -> float | None:
        """The final value of e.g. `val_accuracy`, if the trial has one."""
        return self.ended.metrics.get(metric)

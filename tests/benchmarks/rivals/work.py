"""What everybody has to do: the same trials on the same rows with the same model function.

It is a sweeper study, and what the rivals get is read from it: its rows, its split, its settings.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sweeper import study_file
from sweeper.catalog.models import resolve_model
from sweeper.commands.planning import design
from sweeper.commands.prepare import prepare
from sweeper.data import DataInfo, Part
from sweeper.training.feed import Feeds

RATES = (1e-4, 1e-1)
"""One range for all optimizers: nothing diverges in it, so no trial ends before its last epoch."""


class Setting(NamedTuple):
    """A trial."""

    activation: str
    optimizer: str
    learning_rate: float


@dataclass(frozen=True)
class Work:
    """All trials: every combination at `points` learning rates."""

    model: str
    activations: tuple[str, ...] = ("relu", "sigmoid", "tanh")
    optimizers: tuple[str, ...] = ("sgd", "adam", "rmsprop")
    points: int = 8
    epochs: int = 20
    batch_size: int = 32

    def study(self) -> dict[str, Any]:
        """As sweeper takes it: explored and not confirmed, nothing kept, the learning rate constant like a rival's."""
        return {
            "name": f"digits-{self.model}",
            "data": {"name": "digits"},
            "model": {"name": self.model},
            "parameters": {
                "activation": {"values": list(self.activations)},
                "optimizer": {"values": list(self.optimizers)},
                "learning_rate": {"min": RATES[0], "max": RATES[1], "scale": "log"},
            },
            "training": {"epochs": self.epochs, "batch_size": self.batch_size, "schedule": "constant"},
            "search": {"points": self.points},
            "confirm": {"seeds": 0},
            "keep": {"models": "none"},
        }

    def settings(self) -> list[Setting]:
        """Those of the study, in an order whose first trials are spread over combinations and learning rates."""
        plan = design(prepare(study_file.load(self.study())))
        count = len(plan.combinations)
        places = [(c, (c + lap) % plan.points) for lap in range(plan.points) for c in range(count)]
        params = [plan.draft(combination * plan.points + point).params for combination, point in places]
        return [Setting(p["activation"], p["optimizer"], p["learning_rate"]) for p in params]


@dataclass(frozen=True)
class Rows:
    """Of the split that all trials of the study train on."""

    train: Part
    validation: Part
    info: DataInfo

    @classmethod
    def of(cls, work: Work) -> Rows:
        """Float pixels in [0, 1] and integer labels."""
        study = prepare(study_file.load(work.study()))
        feed = Feeds().of(study.data, design(study).draft(0).seeds.split)
        return cls(feed.train, feed.validation, feed.info)


@dataclass(frozen=True)
class Job:
    """What one process has to do.

    Attributes:
        settings: its share of the trials.
        folder: which all processes of the tool share.
        process: its number, from 0.
        processes: of the tool; sweeper has them as its workers.
        threads: of TensorFlow in it; None leaves that to the tool.
    """

    work: Work
    settings: tuple[Setting, ...]
    rows: Rows
    folder: Path
    process: int = 0
    processes: int = 1
    threads: int | None = None

    def model(self, activation: str) -> Any:
        """A fresh one, uncompiled, made by the function that sweeper calls too."""
        return resolve_model(self.work.model)(self.rows.info, activation)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep the other processes out, while tables are created that all of them need."""
        with open(self.folder / "lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

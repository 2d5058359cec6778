"""Everything a report is made of; the same material gives the same files, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from sweeper.data import Task
from sweeper.gate import Night
from sweeper.reads import Reads
from sweeper.report.units import Units
from sweeper.space import Space
from sweeper.trial import Combination, Stage, TrialRecord
from sweeper.verdict import Finalist, Objective, Verdict


@dataclass(frozen=True)
class Predictions:
    """What the kept model says about the sealed test rows.

    Attributes:
        y_true: (n,) class ids, or (n,) / (n, targets) numbers.
        y_pred: like `y_true`, in the same unit.
        class_names: one a class in the order of the ids; empty for regression.
    """

    y_true: NDArray[Any]
    y_pred: NDArray[Any]
    class_names: tuple[str, ...]
    task: Task

    @classmethod
    def of(cls, y_true: NDArray[Any], y_pred: NDArray[Any], class_names: tuple[str, ...], task: Task) -> Predictions:
        """Predictions from what a model returns; probabilities become class ids.

        Args:
            y_true: (n,) or (n, 1) class ids, or numbers.
            y_pred: (n,) or (n, 1) class ids or probabilities of class 1, (n, classes) probabilities, or numbers.
            class_names: may be empty: then classes are called by their ids.
            task: what the numbers mean.

        Raises:
            ValueError: the two do not belong together.
        """
        if task is Task.REGRESSION:
            return cls(np.asarray(y_true, float), np.asarray(y_pred, float).reshape(np.shape(y_true)), (), task)
        true, predicted = np.ravel(y_true).astype(int), _class_ids(np.asarray(y_pred))
        if len(true) != len(predicted) or true.min(initial=0) < 0 or predicted.min(initial=0) < 0:
            raise ValueError("class ids count from 0, one prediction a row")
        highest = int(max(true.max(initial=1), predicted.max(initial=1)))
        names = tuple(class_names[i] if i < len(class_names) else str(i) for i in range(highest + 1))
        return cls(true, predicted, names + tuple(class_names[len(names) :]), task)


def _class_ids(predicted: NDArray[Any]) -> NDArray[Any]:
    if predicted.ndim == 2 and predicted.shape[1] > 1:
        return np.asarray(predicted.argmax(axis=1))
    flat = predicted.ravel()
    return flat.astype(int) if np.issubdtype(flat.dtype, np.integer) else (flat >= 0.5).astype(int)


def load_predictions(folder: Path) -> Predictions | None:
    """The predictions that a trainer left in the `keep` folder of the pick, or None where it left none to be used.

    Reads `predictions.npz` (`y_true`, `y_pred`) and `data.json` (`task`, `class_names`). Trainers may be a user's own:
    files that do not fit cost one figure, not the report.
    """
    arrays, info = folder / "predictions.npz", folder / "data.json"
    if not (arrays.is_file() and info.is_file()):
        return None
    try:
        document = json.loads(info.read_text(encoding="utf-8"))
        with arrays.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            names = tuple(str(name) for name in document.get("class_names") or ())
            return Predictions.of(stored["y_true"], stored["y_pred"], names, Task(document["task"]))
    except (OSError, ValueError, KeyError, AttributeError, BadZipFile):
        return None


@dataclass(frozen=True)
class Material:
    """A finished study.

    Attributes:
        records: every trial in the order of its number.
        provenance: what was run, on what, with which versions. Known keys, all optional: `study` (text of the study
            file), `description`, `data` (`name, rows, features, task, sizes, fingerprint`), `versions` (package ->
            version), `git`, `command`, `started`, `duration_s`, `model`, `training` (`epochs, batch_size, schedule,
            loss`). Others are printed as they are.
        reads: what the records show besides the verdict.
        nights: the scheduled checks of the pick since then, oldest first.
    """

    verdict: Verdict
    records: tuple[TrialRecord, ...]
    objective: Objective
    space: Space
    provenance: Mapping[str, Any] = field(default_factory=dict)
    predictions: Predictions | None = None
    reads: Reads = field(default_factory=Reads)
    nights: tuple[Night, ...] = ()

    def combinations(self) -> tuple[Combination, ...]:
        """Every compared combination, in the order of the study file."""
        return self.space.combinations()

    def finalists(self) -> tuple[Finalist, ...]:
        """The finalists, best first."""
        return ranked(self.verdict)

    def screening(self) -> tuple[TrialRecord, ...]:
        """The trials before confirmation: those that chose settings and finalists."""
        return tuple(record for record in self.records if record.spec.stage in SCREENING)

    def screening_units(self) -> Units:
        """How validation scores are written."""
        scores = [explored.best for explored in self.verdict.explored if explored.best is not None]
        return Units.fitting(self.objective.metric, self.objective.maximize, (), scores)

    def training(self) -> Mapping[str, Any]:
        """How trials were trained, as far as it is known."""
        known = self.provenance.get("training")
        return known if isinstance(known, Mapping) else {}


SCREENING = (Stage.EXPLORE, Stage.WIDEN, Stage.RACE, Stage.SEARCH)


def ranked(verdict: Verdict) -> tuple[Finalist, ...]:
    """The finalists, best mean first; equal means keep their order."""
    sign = 1 if verdict.goal == "maximize" else -1
    return tuple(sorted(verdict.finalists, key=lambda finalist: -sign * finalist.score))

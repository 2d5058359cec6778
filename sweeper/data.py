"""A data set, and the splits of it that a seed determines.

The test part is fixed for a whole study and sealed: `Split.open_test` is called for confirmation only. Whatever is
fitted (scaling, imputation, target standardisation) is fitted on the training rows of the split at hand, never on
validation or test rows.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sweeper.seeds import generator
from sweeper.splits import holdout

Array = NDArray[Any]


class Task(str, enum.Enum):
    """What is predicted."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class DataInfo:
    """What a model function may want to know about the data.

    Attributes:
        input_shape: of one example as the model sees it, without the batch axis.
        classes: number of classes, None for regression.
        output_units: width of the last layer: 1 for binary and regression, `classes` for multiclass.
        output_activation: of the last layer: `sigmoid`, `softmax` or `linear`.
        vocabulary: number of distinct tokens if examples are sequences of token ids, else None.
    """

    input_shape: tuple[int, ...]
    task: Task
    classes: int | None
    output_units: int
    output_activation: str
    feature_names: tuple[str, ...] | None = None
    class_names: tuple[str, ...] | None = None
    vocabulary: int | None = None

    @classmethod
    def of(
        cls,
        input_shape: tuple[int, ...],
        *,
        classes: int | None,
        targets: int = 1,
        feature_names: tuple[str, ...] | None = None,
        class_names: tuple[str, ...] | None = None,
        vocabulary: int | None = None,
    ) -> DataInfo:
        """The info that follows from the number of classes (None: regression on `targets` numbers)."""
        if classes is None:
            task, units, activation = Task.REGRESSION, targets, "linear"
        elif classes == 2:
            task, units, activation = Task.BINARY, 1, "sigmoid"
        else:
            task, units, activation = Task.MULTICLASS, classes, "softmax"
        return cls(input_shape, task, classes, units, activation, feature_names, class_names, vocabulary)


class FittedPreprocessing(Protocol):
    """What was learned from training rows, ready to be applied to any rows."""

    def __call__(self, x: Array) -> Array:
        """Raw rows in, model inputs (float32) out."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON, for the kept model."""


class Preprocessing(Protocol):
    """Something to be fitted on training rows."""

    def fit(self, x_train: Array) -> FittedPreprocessing:
        """Learn from raw training rows."""


@dataclass(frozen=True)
class Part:
    """Rows as a model takes them: `x` (n, *input_shape) and `y` (n,) or (n, targets)."""

    x: Array
    y: Array

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True)
class Split:
    """What one trial trains on and is validated on.

    Attributes:
        target_mean, target_sd: regression targets in every part are standardised with these (fitted on training
            rows); 0 and 1 for classification.
    """

    train: Part
    validation: Part
    target_mean: float
    target_sd: float
    preprocessing: FittedPreprocessing | None
    _raw_test: Part = field(repr=False)

    def open_test(self) -> Part:
        """The sealed test rows, prepared like the others. For the confirm stage only."""
        return _prepared(self._raw_test, self.preprocessing, self.target_mean, self.target_sd)


@dataclass(frozen=True)
class Dataset:
    """Raw rows and how to divide them.

    Attributes:
        x: (n, ...) raw inputs; what `preprocessing` turns into model inputs.
        y: (n,) integer class ids from 0, or (n,) / (n, targets) numbers.
        test: fixed test rows, if the data set comes with some; else `test_fraction` of the rows is set aside.
        groups: (n,) ids; rows of one group never stand on both sides of a split.
        validation_fraction, test_fraction: shares of all rows.
        seed: of the test split.
        name: for people.
    """

    x: Array
    y: Array
    info: DataInfo
    test: Part | None = None
    groups: Array | None = None
    preprocessing: Preprocessing | None = None
    validation_fraction: float = 0.2
    test_fraction: float = 0.2
    seed: int = 0
    name: str = "data"

    def __len__(self) -> int:
        return len(self.y)

    def divided(self, *, validation: float, test: float, seed: int) -> Dataset:
        """The same rows with other shares and another seed of the test split."""
        return replace(self, validation_fraction=validation, test_fraction=test, seed=seed)

    def split(self, seed: int) -> Split:
        """Training, validation and sealed test rows: the test rows are the same for every seed.

        Classes keep their shares in every part (stratified), and a class with three rows has one in each. Groups are
        never divided: there the shares are met as nearly as the sizes of the groups allow.
        """
        train_rows, validation_rows, test_rows = self._rows(seed)
        fitted = None if self.preprocessing is None else self.preprocessing.fit(self.x[train_rows])
        mean, sd = self._target_scale(train_rows)
        train, validation = (
            _prepared(Part(self.x[rows], self.y[rows]), fitted, mean, sd) for rows in (train_rows, validation_rows)
        )
        raw_test = self.test if self.test is not None else Part(self.x[test_rows], self.y[test_rows])
        return Split(train, validation, mean, sd, fitted, raw_test)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over every value, shape and type: equal if and only if the data and the shares of the parts are.

        The same in every process: arrays hold numbers (`check` in the catalog sees to it), never Python objects.
        """
        digest = hashlib.sha256(repr((self.info, self.validation_fraction, self.test_fraction)).encode())
        arrays = {"x": self.x, "y": self.y, "groups": self.groups}
        if self.test is not None:
            arrays |= {"x_test": self.test.x, "y_test": self.test.y}
        for role, array in arrays.items():
            if array is not None:
                digest.update(f"{role}{array.dtype.str}{array.shape}".encode())
                digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
        return digest.hexdigest()

    def sizes(self) -> Mapping[str, int]:
        """Number of rows by part: `train`, `validation`, `test`."""
        train, validation, test = self._rows(0)
        fixed = None if self.test is None else len(self.test)
        return {"train": len(train), "validation": len(validation), "test": len(test) if fixed is None else fixed}

    def no_information(self) -> dict[str, float]:
        """What a predictor that looks at no input reaches: the score that a diverged run is counted with.

        Classification: accuracy of always naming the largest class (the no-information rate of Kuhn & Johnson 2013),
        cross-entropy of equal probabilities for all classes, and the worst value of what needs a class to be found.
        Regression: the mean of the targets as the only prediction; `loss` in standardised, the rest in the targets'
        own units.
        """
        if self.info.task is Task.REGRESSION:
            return self._mean_prediction()
        classes = self.info.classes or 2
        shares = np.bincount(self.y.astype(int), minlength=classes) / len(self.y)
        return {
            "accuracy": float(shares.max()),
            "loss": float(np.log(classes)),
            "auc": 0.5,
            "f1": 0.0,
            "precision": 0.0,
            "recall": 0.0,
            "top_5_accuracy": min(1.0, 5.0 / classes),
        }

    def _mean_prediction(self) -> dict[str, float]:
        y = self.y.astype(float)
        error = y - y.mean(axis=0)
        mse = float(np.mean(error**2))
        return {"loss": 1.0, "mse": mse, "rmse": mse**0.5, "mae": float(np.mean(np.abs(error))), "r2": 0.0}

    def _rows(self, seed: int) -> tuple[Array, Array, Array]:
        """Row numbers of the training, validation and (unless it is fixed) test part."""
        rest, test = self._test_rows()
        taken = self.validation_fraction * len(self.y) / len(rest)
        chosen = holdout(self._strata(rest), self._groups(rest), taken, generator(seed, "validation"))
        return rest[~chosen], rest[chosen], test

    def _test_rows(self) -> tuple[Array, Array]:
        rows = np.arange(len(self.y))
        if self.test is not None or self.test_fraction == 0:
            return rows, rows[:0]
        chosen = holdout(self._strata(rows), self._groups(rows), self.test_fraction, generator(self.seed, "test"))
        return rows[~chosen], rows[chosen]

    def _strata(self, rows: Array) -> Array:
        if self.info.task is Task.REGRESSION:
            return np.zeros(len(rows), dtype=int)
        return self.y[rows].astype(int)

    def _groups(self, rows: Array) -> Array | None:
        return None if self.groups is None else self.groups[rows]

    def _target_scale(self, rows: Array) -> tuple[float, float]:
        if self.info.task is not Task.REGRESSION:
            return 0.0, 1.0
        target = self.y[rows].astype(float)
        return float(target.mean()), float(target.std()) or 1.0


def _prepared(raw: Part, fitted: FittedPreprocessing | None, mean: float, sd: float) -> Part:
    x = raw.x if fitted is None else fitted(raw.x)
    y = raw.y if (mean, sd) == (0.0, 1.0) else ((raw.y - mean) / sd).astype(np.float32)
    return Part(x, y)

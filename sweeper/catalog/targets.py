"""From whatever stands in a target column to class ids or numbers.

Words and truth values are classes. Numbers are classes if all of them are whole, at most `CLASSES_AT_MOST` differ, and
each stands in `ROWS_PER_CLASS` rows on average; otherwise they are what a regression predicts. `task` overrides this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sweeper.catalog.preprocessing import is_gap, word
from sweeper.data import Array
from sweeper.errors import DataError

TASKS = ("classification", "regression")

CLASSES_AT_MOST = 20
"""Ratings and grades have up to twenty steps; more whole numbers are counts, years or prices."""

ROWS_PER_CLASS = 5
"""Fewer rows a value, and whole numbers are more likely measurements of a small table."""


@dataclass(frozen=True)
class Targets:
    """What is predicted.

    Attributes:
        y: (n,) int32 class ids, or float64 numbers (n,) or (n, targets).
        test: the same for the rows of a fixed test part.
        classes: names in the order of the ids; None for regression.
    """

    y: Array
    test: Array | None
    classes: tuple[str, ...] | None

    @classmethod
    def of(cls, y: Array, test: Array | None = None, *, task: str | None = None, where: str = "target") -> Targets:
        """From raw targets: words, truth values, numbers, or one-hot rows.

        Args:
            y: (n,) or (n, 1) or (n, targets).
            test: the same for a fixed test part.
            task: `classification`, `regression`, or None: inferred.
            where: for errors.

        Raises:
            DataError: gaps, text for a regression, or a class that occurs in the test part only.
        """
        flat, flat_test = _flat(y, task), None if test is None else _flat(test, task)
        if task == "classification" or (task is None and looks_like_classes(flat)):
            return cls(*encode(flat, flat_test, where=where))
        numbers = _numbers(flat, where)
        return cls(numbers, None if flat_test is None else _numbers(flat_test, f"{where} of the test rows"), None)


def looks_like_classes(values: Array) -> bool:
    """The rule in the head of this module, for (n,) or (n, targets) values without gaps."""
    if values.ndim > 1:
        return False
    if values.dtype.kind not in "iuf":
        return True
    distinct = np.unique(values)
    whole = bool(np.all(distinct == np.round(distinct)))
    return whole and len(distinct) <= CLASSES_AT_MOST and len(values) >= ROWS_PER_CLASS * len(distinct)


def encode(labels: Array, test: Array | None, *, where: str) -> tuple[Array, Array | None, tuple[str, ...]]:
    """Ids from 0 in sorted order of the labels, for the rows and the fixed test rows, and the names of the classes.

    Raises:
        DataError: a gap, or a label of the test rows that occurs in no other row.
    """
    _refuse_gaps(labels, where)
    known, ids = np.unique(_comparable(labels), return_inverse=True)
    classes = tuple(word(label) for label in known.tolist())
    if test is None:
        return ids.reshape(-1).astype(np.int32), None, classes
    _refuse_gaps(test, f"{where} of the test rows")
    strange = ~np.isin(_comparable(test), known)
    if strange.any():
        row = int(np.argmax(strange))
        expected = "test rows of the classes that the other rows have: " + ", ".join(classes[:10])
        raise DataError.at(f"{where} of the test rows, row {row}", expected, repr(test[row]), "remove these test rows")
    test_ids = np.searchsorted(known, _comparable(test))
    return ids.reshape(-1).astype(np.int32), test_ids.astype(np.int32), classes


def _comparable(labels: Array) -> Array:
    return np.array([word(label) for label in labels]) if labels.dtype.kind == "O" else labels


def _flat(y: Array, task: str | None) -> Array:
    """(n, 1) to (n,); one-hot rows to the number of the column that holds the one."""
    if y.ndim == 2 and y.shape[1] == 1:
        return y[:, 0]
    if y.ndim == 2 and task != "regression" and y.dtype.kind in "biuf":
        is_one_hot = bool(np.all((y == 0) | (y == 1)) and np.all(y.sum(axis=1) == 1))
        return np.asarray(y.argmax(axis=1)) if is_one_hot else y
    return y


def _refuse_gaps(values: Array, where: str) -> None:
    if values.dtype.kind == "f":
        gaps = ~np.isfinite(values).reshape(len(values), -1).all(axis=1)
    else:
        gaps = np.array([values.dtype.kind == "O" and is_gap(value) for value in values], dtype=bool)
    if gaps.any():
        row = int(np.argmax(gaps))
        received = f"{values[row]} in row {row}; {int(gaps.sum())} of {len(values)} rows have no finite target"
        raise DataError.at(where, "a target in every row", received, "remove these rows")


def _numbers(values: Array, where: str) -> Array:
    if values.dtype.kind not in "biuf":
        first: Any = values.reshape(-1)[0] if values.size else "no value"
        expected = "numbers, because task: regression"
        raise DataError.at(where, expected, f"{values.dtype} such as {first!r}", "task: classification")
    _refuse_gaps(values, where)
    return values.astype(np.float64)

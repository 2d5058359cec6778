"""What turns raw rows into model inputs: fitted on training rows only, of a width that the schema alone decides.

The width must be known before any split, so the names of the categories and the presence of gaps come from the whole
data set. Every *value* (median, mean, spread, which categories occur) is learned from training rows. What the
training rows never showed (a category, a gap, any variation of a column) gives zeros: the weights it would meet
were never trained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Union

import numpy as np

from sweeper.data import Array, FittedPreprocessing, Preprocessing


@dataclass(frozen=True)
class Pixels:
    """Integers from 0 to `maximum` to float32 from 0 to 1. Learns nothing, so it is its own fitted form.

    Raw pixels stay in one byte each; only the rows of a split are widened to four.
    """

    maximum: float = 255.0

    def fit(self, x_train: Array) -> Pixels:
        """Itself: the scale does not depend on the rows."""
        return self

    def __call__(self, x: Array) -> Array:
        """Shape unchanged."""
        return np.asarray(np.divide(x, np.float32(self.maximum), dtype=np.float32))

    def to_dict(self) -> dict[str, Any]:
        """As JSON; `from_dict` reads it."""
        return {"kind": "pixels", "maximum": self.maximum}


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: in the file.
        categories: words in the order of their codes; None for a column of numbers.
        missing: whether any row of the data set has a gap here: adds an input that says so.
    """

    name: str
    categories: tuple[str, ...] | None = None
    missing: bool = False

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the model inputs that this column becomes."""
        values = (self.name,) if self.categories is None else tuple(f"{self.name}={word}" for word in self.categories)
        return (*values, f"{self.name} is missing") if self.missing else values


@dataclass(frozen=True)
class Learned:
    """What the training rows say about one column.

    Attributes:
        fill: replaces gaps: the median.
        mean, sd: after filling; an sd of 0 marks a constant column.
        seen: for each category whether it occurs.
        gaps: whether there are gaps.
    """

    fill: float = 0.0
    mean: float = 0.0
    sd: float = 0.0
    seen: tuple[bool, ...] = ()
    gaps: bool = False

    @classmethod
    def from_rows(cls, column: Column, values: Array) -> Learned:
        """From (n,) raw values of training rows."""
        known = values[~np.isnan(values)]
        gaps = len(known) < len(values)
        if column.categories is not None:
            counts = np.bincount(known.astype(int), minlength=len(column.categories))
            return cls(seen=tuple((counts > 0).tolist()), gaps=gaps)
        fill = float(np.median(known)) if len(known) else 0.0
        filled = np.where(np.isnan(values), fill, values)
        varies = filled.max() > filled.min()
        return cls(fill, float(filled.mean()), float(filled.std()) if varies else 0.0, gaps=gaps)

    def inputs(self, column: Column, values: Array) -> Array:
        """(n, number of inputs) from (n,) raw values."""
        gap = np.isnan(values)
        block = self._standardised(values, gap)[:, None] if column.categories is None else self._one_hot(values)
        return np.asarray(np.column_stack([block, gap & self.gaps])) if column.missing else block

    def _standardised(self, values: Array, gap: Array) -> Array:
        if self.sd == 0.0:
            return np.zeros(len(values))
        return np.asarray((np.where(gap, self.fill, values) - self.mean) / self.sd)

    def _one_hot(self, values: Array) -> Array:
        return np.asarray((values[:, None] == np.arange(len(self.seen))) & np.array(self.seen, dtype=bool))


@dataclass(frozen=True)
class FittedTable:
    """Raw (n, columns) float64 in, (n, inputs) float32 out: numbers standardised, words one-hot, gaps filled."""

    columns: tuple[Column, ...]
    learned: tuple[Learned, ...]

    def __call__(self, x: Array) -> Array:
        """Model inputs, without NaN whatever the gaps."""
        widths = [len(column.inputs) for column in self.columns]
        out = np.empty((len(x), sum(widths)), dtype=np.float32)
        start = 0
        for position, (column, learned) in enumerate(zip(self.columns, self.learned, strict=True)):
            out[:, start : start + widths[position]] = learned.inputs(column, x[:, position])
            start += widths[position]
        return out

    def to_dict(self) -> dict[str, Any]:
        """As JSON; `from_dict` reads it, and so does a kept model, which needs no sweeper to prepare its rows."""
        columns = [
            {"column": asdict(c), "learned": asdict(le)} for c, le in zip(self.columns, self.learned, strict=True)
        ]
        return {"kind": "table", "columns": columns}


@dataclass(frozen=True)
class Table:
    """Columns of a raw matrix, to be fitted."""

    columns: tuple[Column, ...]

    @classmethod
    def of_numbers(cls, names: Sequence[str]) -> Table:
        """A table without words and gaps."""
        return cls(tuple(Column(name) for name in names))

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the model inputs."""
        return tuple(name for column in self.columns for name in column.inputs)

    def fit(self, x_train: Array) -> FittedTable:
        """Learn from (n, columns) raw training rows."""
        learned = tuple(Learned.from_rows(column, x_train[:, i]) for i, column in enumerate(self.columns))
        return FittedTable(self.columns, learned)


def from_dict(document: Mapping[str, Any]) -> Union[Pixels, FittedTable]:
    """The inverse of `to_dict`.

    Raises:
        KeyError: not a document of this module.
    """
    if document["kind"] == "pixels":
        return Pixels(document["maximum"])
    columns, learned = [], []
    for entry in document["columns"]:
        columns.append(Column(**{**entry["column"], "categories": _tuple(entry["column"]["categories"])}))
        learned.append(Learned(**{**entry["learned"], "seen": tuple(entry["learned"]["seen"])}))
    return FittedTable(tuple(columns), tuple(learned))


def word(value: Any) -> str:
    """The name of a category: a whole number without its decimal point, anything else as it prints."""
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)


def is_gap(value: Any) -> bool:
    """Whether a value is missing: None, an empty word, or what numpy and pandas print for a gap."""
    return value is None or str(value) in ("", "nan", "<NA>", "NaT")


def _tuple(words: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if words is None else tuple(words)


def _conforms(pixels: Pixels, table: Table, fitted: FittedTable) -> None:
    """Checked by mypy, never called."""
    unfitted: tuple[Preprocessing, ...] = (pixels, table)
    ready: tuple[FittedPreprocessing, ...] = (pixels, fitted)
    assert unfitted
    assert ready

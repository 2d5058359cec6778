"""csv and parquet through pandas: a target column, and features that are numbers or words.

A column of truth values, words or pandas categories is categorical, any other numeric. A column that holds both
numbers and words is categorical if it has at most `MIXED_AT_MOST` distinct values of which words fill a tenth of the
rows, or if words are in the majority; otherwise the words are taken for mistakes and refused. A first column without
a name is the index that `DataFrame.to_csv` writes, and is left out.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sweeper.catalog.csv_text import CsvText
from sweeper.catalog.options import choice, names, path_of
from sweeper.catalog.preprocessing import Column, Table, word
from sweeper.catalog.targets import TASKS, Targets
from sweeper.data import Array, DataInfo, Dataset
from sweeper.errors import DataError
from sweeper.registry import suggest

MIXED_AT_MOST = 20
"""As many steps as a coded answer (`2, 3, 4, more`) may have."""

CATEGORIES_AT_MOST = 1000
"""One-hot inputs for one column; more is a key or free text, and nearly all of the model's weights would serve it."""

_DECIMAL_CURE = 'decimal: "," among the data, or write points'

_WORDS_OR_NUMBERS = "string boolean integer floating decimal mixed-integer mixed-integer-float empty".split()
"""What `pandas.api.types.infer_dtype` says of columns that can be used."""


@dataclass(frozen=True)
class _Rows:
    """A frame and where its rows stand.

    Attributes:
        lines: line number of each row in a text file; None where there are no lines.
    """

    path: Path
    frame: pd.DataFrame
    lines: Sequence[int] | None

    def place(self, column: str, row: int | None = None) -> str:
        """For errors: file, line or row (counted from 1), column."""
        if row is None:
            return f"{self.path}  column {column!r}"
        if self.lines is not None and len(self.lines) == len(self.frame):
            return f"{self.path}:{self.lines[row]}  column {column!r}"
        return f"{self.path}  row {row + 1}, column {column!r}"

    def refuse(self, mask: Array, column: str, expected: str, what: str, cure: str) -> None:
        """Refuse the rows of (n,) `mask`, if there are any."""
        if not mask.any():
            return
        row = int(np.argmax(mask))
        count = int(mask.sum())
        received = f"{self.frame[column].iloc[row]!r}; {what} in {count} of {len(mask)} rows"
        raise DataError.at(self.place(column, row), expected, received, cure)

    def require(self, column: str, option: str) -> None:
        """Refuse an option that names no column."""
        if column not in self.frame.columns:
            known = [str(name) for name in self.frame.columns]
            received = f"columns {', '.join(known[:20])}{', ...' if len(known) > 20 else ''}"
            raise DataError.at(f"{self.path}  data.{option}", f"a column {column!r}", received, suggest(column, known))


def load(name: str, options: Mapping[str, Any], folder: Path) -> Dataset:
    """A table as it stands in a file; scaling, filling and one-hot coding are fitted later, on training rows.

    Raises:
        DataError: whatever is wrong with the file, with the first line or row where it is.
    """
    path = path_of(options, folder)
    task = choice(options, "task", TASKS)
    rows = _read_csv(path, _delimiter(options, path), _decimal(options)) if name == "csv" else _read_parquet(path)
    target = _column_of(options, "target", rows)
    if target is None:
        columns = ", ".join(map(str, rows.frame.columns[:20]))
        raise DataError.at("data.target", f"one of the columns {columns}", "no such key", "target: ...")
    targets = _targets(rows, target, task)
    grouping = _column_of(options, "groups", rows)
    dropped = names(options, "drop")
    for column in dropped:
        rows.require(column, "drop")
    features = [str(c) for c in rows.frame.columns if c not in (target, grouping, *dropped)]
    if not features:
        raise DataError.at(str(path), "a column besides the target", "none is left", "drop fewer columns")
    raw = [_feature(rows, feature) for feature in features]
    table = Table(tuple(column for column, _ in raw))
    classes = None if targets.classes is None else len(targets.classes)
    info = DataInfo.of((len(table.inputs),), classes=classes, feature_names=table.inputs, class_names=targets.classes)
    groups = None if grouping is None else _groups(rows, grouping)
    return Dataset(
        np.column_stack([values for _, values in raw]),
        targets.y,
        info,
        groups=groups,
        preprocessing=table,
        name=path.name,
    )


def _delimiter(options: Mapping[str, Any], path: Path) -> str:
    value = options.get("delimiter", "\t" if path.suffix == ".tsv" else ",")
    if not isinstance(value, str) or len(value) != 1 or value in '"\r\n ':
        raise DataError.at("data.delimiter", "a single character", repr(value), 'delimiter: ";"')
    return value


def _decimal(options: Mapping[str, Any]) -> str:
    return choice(options, "decimal", (".", ",")) or "."


def _read_csv(path: Path, delimiter: str, decimal: str) -> _Rows:
    checked = CsvText.read(path, delimiter)
    try:
        frame = pd.read_csv(
            io.StringIO(checked.text),
            sep=delimiter,
            decimal=decimal,
            header=0,
            names=list(checked.header),
            index_col=False,
            skipinitialspace=True,
            low_memory=False,
        )
    except ValueError as error:
        raise DataError.at(str(path), "a table that pandas reads", str(error)) from error
    return _Rows(path, frame.drop(columns=[""]) if checked.header[0] == "" else frame, checked.lines)


def _read_parquet(path: Path) -> _Rows:
    try:
        frame = pd.read_parquet(path)
    except (ValueError, OSError, ImportError) as error:
        raise DataError.at(str(path), "a parquet file", f"{type(error).__name__}: {error}") from error
    if frame.empty:
        raise DataError.at(str(path), "at least one row and column", f"shape {frame.shape}")
    frame.columns = [str(column) for column in frame.columns]
    return _Rows(path, frame.reset_index(drop=True), None)


def _column_of(options: Mapping[str, Any], key: str, rows: _Rows) -> str | None:
    given = names(options, key)
    if len(given) > 1:
        raise DataError.at(f"data.{key}", "one column", repr(list(given)), f"{key}: {given[0]}")
    for name in given:
        rows.require(name, key)
    return given[0] if given else None


def _targets(rows: _Rows, target: str, task: str | None) -> Targets:
    series = rows.frame[target]
    gaps = series.isna().to_numpy()
    rows.refuse(gaps, target, "a target in every row", "missing", "remove these rows or fill them in")
    if task == "regression" and not _is_number(series):
        parsed = pd.to_numeric(series.astype(object), errors="coerce")
        expected = "numbers, because task: regression"
        rows.refuse(parsed.isna().to_numpy(), target, expected, "text", "task: classification")
        return Targets.of(parsed.to_numpy(dtype=np.float64), task=task, where=rows.place(target))
    numbers = None if task == "classification" and not _is_number(series) else _numbers(rows, target)
    if numbers is None and task is None and _has_decimal_commas(series):
        expected = "numbers, or words that are no numbers"
        received = f"decimal commas, such as {series.iloc[0]!r}"
        raise DataError.at(rows.place(target), expected, received, _DECIMAL_CURE)
    values = _words(series) if numbers is None else numbers
    return Targets.of(values, task=task, where=rows.place(target))


def _groups(rows: _Rows, column: str) -> Array:
    series = rows.frame[column]
    rows.refuse(series.isna().to_numpy(), column, "a group in every row", "missing", "fill them in")
    return np.asarray(pd.factorize(series)[0], dtype=np.int32)


def _feature(rows: _Rows, name: str) -> tuple[Column, Array]:
    """The column of the schema and its (n,) float64 raw values."""
    numbers = _numbers(rows, name)
    if numbers is None:
        return _categorical(rows, name)
    return Column(name, missing=bool(np.isnan(numbers).any())), numbers


def _numbers(rows: _Rows, name: str) -> Array | None:
    """(n,) float64 with NaN for gaps; None for a categorical column.

    Raises:
        DataError: words among numbers, infinite numbers, or values that are neither words nor numbers.
    """
    series = rows.frame[name]
    if isinstance(series.dtype, pd.CategoricalDtype):
        return None
    numbers = series
    if not _is_number(series):
        kind = pd.api.types.infer_dtype(series)
        if kind not in _WORDS_OR_NUMBERS:
            raise DataError.at(rows.place(name), "numbers or words", kind, f"turn it into numbers, or drop: [{name}]")
        numbers = pd.to_numeric(series.astype(object), errors="coerce")
        wrong = (numbers.isna() & series.notna()).to_numpy()
        if _is_mistaken(series, wrong):
            cure = f"mend these rows, or drop: [{name}]"
            rows.refuse(wrong, name, "a number, as in most rows", "text", cure)
        if kind in ("string", "boolean") or wrong.any():
            return None
    values = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    with np.errstate(over="ignore"):
        infinite = np.isinf(values.astype(np.float32))
    rows.refuse(infinite, name, "finite numbers that fit into float32", "infinite or too large", "mend these rows")
    return values


def _categorical(rows: _Rows, name: str) -> tuple[Column, Array]:
    gaps = rows.frame[name].isna().to_numpy()
    words = _words(rows.frame[name][~gaps])
    categories, codes = np.unique(words, return_inverse=True)
    if len(categories) > min(CATEGORIES_AT_MOST, max(MIXED_AT_MOST, len(words) // 2)):
        raise DataError.at(
            rows.place(name),
            f"numbers, or words that repeat (at most {CATEGORIES_AT_MOST} different ones)",
            f"{len(categories)} different words in {len(words)} rows, such as {str(categories[0])!r}",
            _DECIMAL_CURE if _has_decimal_commas(rows.frame[name]) else f"drop: [{name}]",
        )
    values = np.full(len(gaps), np.nan)
    values[~gaps] = codes
    return Column(name, tuple(str(category) for category in categories), bool(gaps.any())), values


def _is_number(series: pd.Series[Any]) -> bool:
    kinds = pd.api.types
    return kinds.is_numeric_dtype(series.dtype) and not kinds.is_bool_dtype(series.dtype)


def _has_decimal_commas(series: pd.Series[Any]) -> bool:
    """Whether most values are numbers as they are written in half of Europe."""
    texts = series.dropna().astype(str)
    return len(texts) > 0 and bool(texts.str.fullmatch(r"\s*[-+]?\d+,\d+\s*").mean() > 0.5)


def _is_mistaken(series: pd.Series[Any], wrong: Array) -> bool:
    """Whether words in (n,) `wrong` are mistakes in a column of numbers: the rule in the head of this module."""
    known = int(series.notna().sum())
    words = int(wrong.sum())
    is_coded = series.nunique() <= MIXED_AT_MOST and words >= known / 10
    return 0 < words <= known / 2 and not is_coded


def _words(series: pd.Series[Any]) -> Array:
    return np.array([word(value) for value in series.tolist()], dtype=str)

"""A first look at a table, with the standard library: what its columns are called and what they may be for."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from sweeper.commands.column import Column, Fault
from sweeper.errors import UsageError

SAMPLE_ROWS = 10_000
"""So many rows of a file are looked at: enough to tell a key from a measurement, and read in a blink."""

LEAST_ROWS = 3
"""One each for training, validation and test."""

_TARGETS = tuple(
    """target label labels class y outcome response survived diagnosis churn species price quality income
    default salary rating""".split()
)
_DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Columns:
    """What the first rows of a table tell.

    Attributes:
        decimal: what stands between a whole number and its fraction; a comma if it does in most of a column.
        rows: how many rows there are, `SAMPLE_ROWS` at most.
    """

    columns: tuple[Column, ...]
    delimiter: str
    rows: int
    decimal: str = "."

    @classmethod
    def of(cls, path: Path) -> Columns:
        """The header and the first rows of a CSV file.

        Raises:
            UsageError: not a table with a header, rows, and at least two columns, each with a name of its own.
        """
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                delimiter = _delimiter(file)
                reader = csv.reader(file, delimiter=delimiter, skipinitialspace=True)
                header = [name.strip() for name in next(reader, [])]
                rows = [row for row, _ in zip(reader, range(SAMPLE_ROWS), strict=False) if row]
        except UnicodeDecodeError as error:
            received = f"{type(error).__name__}: {error}"
            cure = f"iconv -f latin1 -t utf-8 {path.name} > utf8.csv   (or -f utf-16)"
            raise UsageError.at(str(path), "a CSV file in UTF-8", received, cure) from error
        except (OSError, csv.Error) as error:
            raise UsageError.at(str(path), "a CSV file in UTF-8", f"{type(error).__name__}: {error}") from error
        _check_header(header, rows, path)
        columns = tuple(_columns(header, rows))
        if delimiter != "," and any(column.has_decimal_commas for column in columns):
            return cls(tuple(column.with_points() for column in columns), delimiter, len(rows), ",")
        return cls(columns, delimiter, len(rows))

    @classmethod
    def of_parquet(cls, path: Path) -> Columns | None:
        """The first rows of a Parquet file; None where it cannot be looked into."""
        try:
            from pyarrow import ArrowException
            from pyarrow.parquet import ParquetFile
        except ImportError:
            return None
        try:
            with ParquetFile(path) as file:
                batch = next(file.iter_batches(SAMPLE_ROWS), None)
        except (ArrowException, OSError):
            return None
        if batch is None:
            return None
        index = [name for name in batch.schema.names if name.startswith("__index_level_")]
        table = {name: batch.column(name).to_pylist() for name in batch.schema.names if name not in index}
        texts = {name: ["" if value is None else str(value) for value in values] for name, values in table.items()}
        return cls(tuple(Column.of(name, values) for name, values in texts.items()), ",", batch.num_rows)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def keys(self) -> tuple[str, ...]:
        """Columns that only number the rows."""
        return tuple(column.name for column in self.columns if column.is_key)

    @property
    def likely_target(self) -> str:
        """A column that is called like one, else the last that may be predicted."""
        by_lower = {name.lower(): name for name in reversed(self.names)}
        named = next((by_lower[name] for name in _TARGETS if name in by_lower), None)
        usable = [column.name for column in self.columns if not (column.is_key or column.is_date or not column.known)]
        return named or (usable or self.names)[-1]

    def useless(self, target: str) -> list[tuple[str, str]]:
        """Columns to be left out, each with the reason."""
        return [(c.name, c.why_useless) for c in self.columns if c.name != target and c.why_useless]

    def notes(self, target: str) -> list[str]:
        """What a first look told, one line each: the target, what is left out, what is odd."""
        found = [note for column in self.columns if column.name == target for note in column.as_target()]
        if self.rows < LEAST_ROWS:
            counted = "1 row" if self.rows == 1 else f"{self.rows} rows"
            found.insert(0, Fault(f"{counted}; a run needs {LEAST_ROWS}, better some hundred"))
        left_out = self.useless(target)
        found += [f"{name} is left out: it {why}" for name, why in left_out]
        gone = {target, *(name for name, _ in left_out)}
        return found + [note for column in self.columns if column.name not in gone for note in column.remarks()]


def _delimiter(file: TextIO) -> str:
    """The one that cuts the first lines into equally many fields; of several the one that cuts most."""
    lines = [line for line, _ in zip(file, range(20), strict=False)]
    file.seek(0)

    def worth(delimiter: str) -> tuple[bool, int]:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True) if row]
        return len(set(widths)) == 1 and widths[0] > 1, lines[0].count(delimiter) if lines else 0

    return max(_DELIMITERS, key=worth)


def _columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[Column]:
    for place, name in enumerate(header):
        if name:
            yield Column.of(name, [row[place] if place < len(row) else "" for row in rows])


def _check_header(header: Sequence[str], rows: Sequence[Sequence[str]], path: Path) -> None:
    names = [name for name in header if name]
    if len(names) < 2 or not rows:
        received = f"{len(names)} named columns, {len(rows)} rows"
        raise UsageError.at(str(path), "a header with at least two names, and rows", received)
    if Column.of("header", names).numbers == len(names):
        received = f"numbers: {', '.join(names[:5])}"
        cure = "put a line of names on top: " + ",".join([f"x{n}" for n in range(1, len(names))] + ["y"])
        raise UsageError.at(f"{path}:1", "a header with names of columns", received, cure)
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise UsageError.at(f"{path}:1", "a name of its own for every column", f"{repeated[0]!r} twice", "rename one")

"""A first look at a CSV file, with the standard library: what its columns are called and what they may be for."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from sweeper.errors import UsageError

SAMPLE_ROWS = 10_000
"""So many rows of a CSV file are looked at: enough to tell a key from a measurement, and read in a blink."""

_TARGETS = ("target", "label", "class", "y", "outcome", "response")
_KEY = re.compile(r"(?:.*[_ ])?(?:id|uuid|index|rownames)", re.IGNORECASE)
_DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Columns:
    """What the first rows of a CSV file tell.

    Attributes:
        keys: columns that only number the rows.
        rows: how many rows there are, `SAMPLE_ROWS` at most.
    """

    names: tuple[str, ...]
    keys: tuple[str, ...]
    delimiter: str
    rows: int

    @classmethod
    def of(cls, path: Path) -> Columns:
        """The header and the first rows of a CSV file.

        Raises:
            UsageError: not a table with a header, rows, and at least two columns.
        """
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                first = file.readline()
                file.seek(0)
                delimiter = max(_DELIMITERS, key=first.count)
                reader = csv.reader(file, delimiter=delimiter, skipinitialspace=True)
                header = tuple(name.strip() for name in next(reader, []))
                rows = [row for row, _ in zip(reader, range(SAMPLE_ROWS), strict=False) if row]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise UsageError.at(str(path), "a CSV file in UTF-8", f"{type(error).__name__}: {error}") from error
        names = tuple(name for name in header if name)
        if len(names) < 2 or not rows:
            received = f"{len(names)} named columns, {len(rows)} rows"
            raise UsageError.at(str(path), "a header with at least two names, and rows", received)
        keys = tuple(name for i, name in enumerate(header) if _KEY.fullmatch(name) and _numbers_the_rows(rows, i))
        return cls(names, keys, delimiter, len(rows))

    @property
    def likely_target(self) -> str:
        """A column that is called like one, else the last."""
        by_lower = {name.lower(): name for name in reversed(self.names)}
        return next((by_lower[name] for name in _TARGETS if name in by_lower), self.names[-1])


def _numbers_the_rows(rows: list[list[str]], column: int) -> bool:
    values = [row[column] for row in rows if column < len(row)]
    return len(set(values)) == len(rows)

"""A strict look at a delimited text file before anything parses its values.

pandas fills short rows with gaps, takes a first column for an index where rows are longer than the header, and renames
repeated columns; each of these would go unseen into a study. So the shape of the file is checked here, record by
record, and the line number of every record is kept for errors.
"""

from __future__ import annotations

import csv
import io
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sweeper.errors import DataError

_OTHER_FORMATS = (
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
    (b"PK\x03\x04", "a zip or Excel file"),
    (b"PAR1", "a parquet file"),
    (b"\x1f\x8b", "a gzip file"),
)
"""What such files begin with."""

_DELIMITERS = {";": '";"', "\t": r'"\t"', "|": '"|"', ",": '","'}
"""Other common ones, as they are written in YAML."""


@dataclass(frozen=True)
class CsvText:
    """A file whose every record has as many fields as the header.

    Attributes:
        text: the whole file.
        header: column names, without blanks around them.
        lines: line number in the file, counted from 1, at which each record ends; the header is left out.
    """

    text: str
    header: tuple[str, ...]
    lines: Sequence[int]

    @classmethod
    def read(cls, path: Path, delimiter: str) -> CsvText:
        """Read and check.

        Raises:
            DataError: not UTF-8, empty, no rows, ragged rows, or a column without a name of its own.
        """
        text = _decoded(path)
        records = _records(text, path, delimiter)
        header = tuple(name.strip() for name in next(records, (0, []))[1])
        _check_header(header, path, delimiter)
        lines = array("q")
        for line, record in records:
            if len(record) != len(header):
                raise DataError.at(
                    f"{path}:{line}",
                    f"{len(header)} fields, as in the header",
                    f"{len(record)} fields",
                    "put values that hold the delimiter into quotes, or fill the row up",
                )
            lines.append(line)
        if not lines:
            raise DataError.at(str(path), "at least one row below the header", "none")
        return cls(text, header, lines)


def _decoded(path: Path) -> str:
    content = path.read_bytes()
    if not content.strip():
        raise DataError.at(str(path), "a header and rows", "an empty file")
    for start, kind in _OTHER_FORMATS:
        if content.startswith(start):
            raise DataError.at(str(path), "text in UTF-8", kind, "save it as CSV in UTF-8, or name: parquet")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        received = f"byte 0x{content[error.start]:02x} at offset {error.start}"
        raise DataError.at(f"{path}:{line}", "text in UTF-8", received, "save the file as UTF-8") from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DataError.at(f"{path}:{line}", "text", f"a NUL at character {text.index(chr(0))}", "save it as UTF-8")
    return text


def _records(text: str, path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and fields of every record that is not blank, as pandas skips blank lines too."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        for record in reader:
            if len(record) > 1 or (record and record[0].strip()):
                yield reader.line_num, record
    except csv.Error as error:
        raise DataError.at(f"{path}:{reader.line_num}", "fields in matching quotes", str(error)) from error


def _check_header(header: tuple[str, ...], path: Path, delimiter: str) -> None:
    if len(header) == 1:
        likely = [text for mark, text in _DELIMITERS.items() if mark != delimiter and mark in header[0]]
        cure = f"delimiter: {likely[0]}" if likely else "a target column and at least one feature"
        raise DataError.at(f"{path}:1", f"several columns, delimited by {delimiter!r}", repr(header[0]), cure)
    repeated = [name for name, count in Counter(header).items() if count > 1]
    if repeated:
        raise DataError.at(f"{path}:1", "a name of its own for every column", f"{repeated[0]!r} more than once")
    if "" in header[1:]:
        received = f"none for column {header.index('', 1) + 1}"
        raise DataError.at(f"{path}:1", "a name for every column", received)

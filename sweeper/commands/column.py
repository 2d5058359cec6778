"""One column of a table as its first rows show it: what it may be for, and what a study would stumble over."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

_GAPS = frozenset(("", "na", "n/a", "nan", "null", "none", "<na>", "#n/a", "-nan", "nat"))
"""What pandas takes for a gap, in lower case."""

_KEY = re.compile(r"(?:.*[_ ])?(?:id|uuid|index|rownames)", re.IGNORECASE)
_CAMEL_KEY = re.compile(r".*[a-z]I[dD]")
_DATE = re.compile(r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})(?:[T ]\d{1,2}:\d{2}.*)?")
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")

_DECIMAL_COMMAS = "holds decimal commas, which are read as words: write points"

CATEGORIES_AT_MOST, FEW_WORDS = 1000, 20
"""What a table is refused with when it is loaded (`catalog/tables`): more words than that, or hardly one twice."""

CLASSES_AT_MOST, ROWS_PER_CLASS = 20, 5
"""When whole numbers are taken for classes (`catalog/targets`)."""

RARE_SHARE = 0.1
"""A class below this share is easily missed by a model that looks accurate."""


class Fault(str):
    """A note on what the run would refuse."""

    __slots__ = ()


@dataclass(frozen=True)
class Column:
    """What the first rows tell of a column.

    Attributes:
        rows: how many were looked at; `gaps` of them have no value, `numbers` of them one.
        counts: value -> how often.
    """

    name: str
    rows: int
    gaps: int
    numbers: int
    dates: int
    commas: int
    counts: Counter[str]

    def with_points(self) -> Column:
        """The column as it is read where a comma stands for the point."""
        values = self.counts.elements()
        texts = [text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else text for text in values]
        return replace(Column.of(self.name, texts), rows=self.rows, gaps=self.gaps)

    @classmethod
    def of(cls, name: str, values: Sequence[str]) -> Column:
        """From its values as text."""
        known = [value for value in (value.strip() for value in values) if value.lower() not in _GAPS]
        return cls(
            name,
            rows=len(values),
            gaps=len(values) - len(known),
            numbers=sum(map(_is_number, known)),
            dates=sum(1 for value in known if _DATE.fullmatch(value)),
            commas=sum(1 for value in known if _DECIMAL_COMMA.fullmatch(value)),
            counts=Counter(known),
        )

    @property
    def known(self) -> int:
        """Rows that have a value."""
        return self.rows - self.gaps

    @property
    def is_key(self) -> bool:
        """Whether it only numbers the rows: called like a key, and different in each of them."""
        named = _KEY.fullmatch(self.name) or _CAMEL_KEY.fullmatch(self.name)
        return bool(named) and self.gaps == 0 and len(self.counts) == self.rows

    @property
    def is_date(self) -> bool:
        """Whether nearly every value is a date."""
        return self.known > 0 and self.dates >= 0.9 * self.known

    @property
    def is_words(self) -> bool:
        """Whether most values are no numbers."""
        return self.known > 0 and self.numbers < self.known / 2

    @property
    def has_decimal_commas(self) -> bool:
        """Whether most values are numbers with a comma where a point belongs."""
        return self.commas > self.known / 2

    @property
    def _is_too_many_words(self) -> bool:
        return self.is_words and len(self.counts) > min(CATEGORIES_AT_MOST, max(FEW_WORDS, self.known // 2))

    @property
    def why_useless(self) -> str:
        """Why a model cannot learn from it as it is; empty if it can."""
        if self.is_key:
            return "numbers the rows"
        if self.known == 0:
            return "is empty"
        if self.has_decimal_commas:
            return _DECIMAL_COMMAS if self._is_too_many_words else ""
        if self.is_date:
            return "holds dates, which would be words: turn them into numbers (weekday, age) to use them"
        if self._is_too_many_words:
            return f"holds {len(self.counts)} different words in {self.known} rows, such as {self._first!r}"
        return ""

    def remarks(self) -> list[str]:
        """What is worth knowing of a column that is used."""
        found = []
        if self.gaps:
            found.append(f"{self.name}: {self.gaps} of {self.rows} values are missing; they are filled with the median")
        if len(self.counts) == 1:
            found.append(f"{self.name}: the same value in every row")
        if self.has_decimal_commas:
            found.append(f"{self.name} {_DECIMAL_COMMAS}")
        words = self.known - self.numbers
        if 0 < words < self.known / 10 and not self.is_words:
            told = f"{self.name}: {words} of {self.known} values are no numbers; the run would refuse them"
            found.append(Fault(told))
        return found

    def as_target(self) -> list[str]:
        """The task that follows, and what stands against it."""
        found: list[str] = []
        if self.gaps:
            told = f"{self.name}: {self.gaps} of {self.rows} rows have no target; remove them before the run"
            found.append(Fault(told))
        if not self.counts:
            return found
        if not self.is_classes:
            if self.has_decimal_commas:
                return [Fault(f"{self.name} {_DECIMAL_COMMAS}; the run would refuse them"), *found]
            if self.numbers < self.known:
                told = f"{len(self.counts)} different words in {self.known} rows are neither classes nor numbers"
                return [Fault(f"{self.name}: {told}; the run would refuse them"), *found]
            return [f"{self.name} is predicted: regression", *found]
        (common, most), (rare, least) = self.counts.most_common(1)[0], self.counts.most_common()[-1]
        classes = len(self.counts)
        kind = "binary" if classes == 2 else f"{classes} classes"
        found.insert(0, f"{self.name} is predicted: {kind}; {common!r} in {100 * most / self.known:.0f} % of the rows")
        if classes == 1:
            found.append(Fault(f"{self.name}: a single class; the run would refuse it"))
        elif least < 3:
            found.append(Fault(f"{self.name}: class {rare!r} has {least} rows; a run needs 3 of each, better 30"))
        elif least < RARE_SHARE * self.known / max(1, classes - 1):
            better = "metric: {name: auc}, or f1, tells more than accuracy" if classes == 2 else "accuracy hides it"
            found.append(f"{self.name}: class {rare!r} has {least} of {self.known} rows: {better}")
        return found

    @property
    def is_classes(self) -> bool:
        """Whether it would be classified: the rule of `catalog/targets`."""
        if self.numbers < self.known:
            return len(self.counts) <= max(FEW_WORDS, self.known // 10)
        whole = all(float(value).is_integer() for value in self.counts)
        distinct = len({float(value) for value in self.counts})
        return whole and distinct <= CLASSES_AT_MOST and self.known >= ROWS_PER_CLASS * distinct

    @property
    def _first(self) -> str:
        value = next(iter(self.counts))
        return value if len(value) <= 30 else value[:27] + "..."


def _is_number(value: str) -> bool:
    try:
        number = float(value)
    except ValueError:
        return False
    return number == number and abs(number) != float("inf")

"""Finished trials in memory, by number."""

from __future__ import annotations

from collections.abc import Iterable

from sweeper.trial import TrialRecord, TrialSpec


class MemoryHistory:
    """A `protocols.History`; recording and looking up take constant time.

    Attributes:
        waiting: specs that were handed out and have not ended, by number.
    """

    def __init__(self, records: Iterable[TrialRecord] = ()) -> None:
        self._by_number = {record.spec.number: record for record in records}
        self._forgiven: set[int] = set()
        self.waiting: dict[int, TrialSpec] = {}

    def __len__(self) -> int:
        return len(self._by_number)

    def __contains__(self, number: int) -> bool:
        return number in self._by_number

    def records(self) -> list[TrialRecord]:
        """Every record in the order of its number, but for those that are to be tried again."""
        return [self._by_number[number] for number in sorted(self._by_number) if number not in self._forgiven]

    def forgive(self, numbers: Iterable[int]) -> None:
        """Take these records for not having been made; their numbers stay taken."""
        self._forgiven.update(numbers)

    def record(self, record: TrialRecord) -> None:
        """Add a record, or replace that of the same number."""
        self._by_number[record.spec.number] = record
        self.waiting.pop(record.spec.number, None)

from types import SimpleNamespace

import pytest

from sweeper.commands.continuing import RUN_BEGAN, SPENT_S, begin_run


class Ledger:
    """Notes and ends of trials, as `begin_run` sees them."""

    def __init__(self, ends, **notes):
        records = [SimpleNamespace(ended_at=end) for end in ends]
        self.history = SimpleNamespace(records=lambda: records)
        self.notes = notes

    def note(self, key, value):
        self.notes[key] = value


@pytest.mark.parametrize(
    ("ends", "notes", "spent"),
    [
        ([], {}, None),
        ([110.0, 130.0], {RUN_BEGAN: 100.0, SPENT_S: 5.0}, 35.0),
        ([50.0], {RUN_BEGAN: 100.0, SPENT_S: 5.0}, 5.0),
        ([50.0], {RUN_BEGAN: None, SPENT_S: 5.0}, 5.0),
    ],
)
def test_the_time_of_a_killed_run_counts_up_to_its_last_trial(ends, notes, spent):
    ledger = Ledger(ends, **notes)
    begin_run(ledger, "sweeper run study.yaml")
    assert ledger.notes.get(SPENT_S) == spent
    assert ledger.notes[RUN_BEGAN] > 1000

"""What a tracking server has missed of the gate: kept in order, sent once, and no torn file in the way."""

import json

import pytest

from sweeper.commands.unsent import FOLDER, Missed, send_all, waiting
from sweeper.trial import Combination, Seeds, Stage, TrialEnded, TrialRecord, TrialSpec

SPEC = TrialSpec(4, Stage.CONFIRM, Combination({"optimizer": "adam"}), {"optimizer": "adam"}, Seeds(1, 2, 3), epochs=2)
RECORD = TrialRecord(SPEC, TrialEnded.completed(SPEC, {"test_accuracy": 0.5}), {"loss": (1.0, 0.5)}, 12.5)


class Writer:
    """Notes what it is told; refuses from the `refuses`-th check on."""

    told: list

    def __init__(self, told, refuses=None):
        self.told, self.refuses = told, refuses

    def start(self, study):
        if self.refuses is not None and len([call for call in self.told if call[0] == "finish"]) >= self.refuses:
            raise ConnectionError("away again")
        self.told.append(("start", study["check"]))

    def trial(self, record):
        self.told.append(("trial", record))

    def finish(self, status, artifacts, tags):
        (path,) = artifacts
        with open(path, encoding="utf-8") as file:
            self.told.append(("finish", status, tags["sweeper.outcome"], json.load(file)["outcome"]))


def missed(check, outcome="PASSED"):
    return Missed({"check": check}, "FINISHED", {"sweeper.outcome": outcome}, {"outcome": outcome}, (RECORD,))


def test_what_was_kept_is_sent_whole_in_its_order_and_once(tmp_path):
    missed("second", "FAILED").keep(tmp_path, "2026-03-02T01:00:00.000+00:00")
    missed("first").keep(tmp_path, "2026-03-01T01:00:00.000+00:00")
    told = []
    assert send_all(tmp_path, lambda: Writer(told)) == 2
    assert told == [
        ("start", "first"),
        ("trial", RECORD),
        ("finish", "FINISHED", "PASSED", "PASSED"),
        ("start", "second"),
        ("trial", RECORD),
        ("finish", "FINISHED", "FAILED", "FAILED"),
    ]
    assert send_all(tmp_path, lambda: Writer(told)) == 0


def test_what_is_sent_before_the_server_goes_away_again_is_not_sent_twice(tmp_path):
    for night in (1, 2):
        missed(f"night {night}").keep(tmp_path, f"2026-03-0{night}T01:00:00.000+00:00")
    told = []
    with pytest.raises(ConnectionError):
        send_all(tmp_path, lambda: Writer(told, refuses=1))
    assert len(waiting(tmp_path)) == 1
    assert send_all(tmp_path, lambda: Writer(told)) == 1
    assert [call[1] for call in told if call[0] == "start"] == ["night 1", "night 2"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"about": {}}', '{"records": [{}]}'])
def test_a_torn_file_is_put_aside(tmp_path, text):
    missed("whole").keep(tmp_path, "2026-03-02T01:00:00.000+00:00")
    (tmp_path / FOLDER / "2026-03-01.json").write_text(text)
    told = []
    assert send_all(tmp_path, lambda: Writer(told)) == 1
    assert waiting(tmp_path) == []
    assert (tmp_path / FOLDER / "2026-03-01.unreadable").read_text() == text

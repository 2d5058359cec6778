"""The nights of a gate: stored line by line, read back whatever happened to the file, shown as a table."""

import json

import pytest

from sweeper import study_file
from sweeper.commands import nights
from sweeper.commands.history import history, words
from sweeper.errors import StorageError
from sweeper.folder import StudyFolder
from sweeper.gate import GateOutcome, Night
from sweeper.report.gate_text import sparkline
from sweeper.verdict import Interval

STUDY = {"name": "gated", "data": {"name": "iris"}}


def entry(day, score=0.95, outcome=GateOutcome.PASSED, **more):
    interval = None if score is None else Interval(score - 0.01, score + 0.01)
    more = {"metric": "accuracy", **more}
    night = Night(f"2026-01-{day:02d}T03:00:00.000+00:00", outcome, score, interval, 3, **more)
    return nights.Entry(night, {"data fingerprint": "a"}, {"numpy": "2.1"})


def test_a_night_comes_back_as_it_was_written(tmp_path):
    written = [
        entry(1, changed=("data", "numpy 2.1 -> 2.2"), baseline=0.96, band=Interval(0.95, 0.97)),
        entry(2, None, GateOutcome.UNDECIDED),
    ]
    for each in written:
        nights.append(tmp_path, each)
    assert nights.read(tmp_path) == written


@pytest.mark.parametrize(
    "torn", ['{"night": {"when"', "", "[]", "null", '{"night": 3}', '{"night": {"when": 1}}', "\0"]
)
def test_what_is_no_night_is_passed_over(tmp_path, torn):
    nights.append(tmp_path, entry(1))
    with (tmp_path / nights.FILE).open("a") as file:
        file.write(torn)
    nights.append(tmp_path, entry(2))
    assert nights.read(tmp_path) == [entry(1), entry(2)]


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(StorageError, match=r"gate\.jsonl"):
        nights.append(tmp_path / "nowhere", entry(1))


def test_nights_from_two_places_are_in_order_and_once():
    assert nights.merged([entry(3), entry(1)], [entry(2), entry(1, 0.5)]) == [entry(1), entry(2), entry(3)]


def test_the_table_has_a_line_a_night(tmp_path):
    file = study_file.load(STUDY)
    folder = StudyFolder(tmp_path, "gated")
    folder.create()
    assert "no night yet" in words(history(file, tmp_path, None))
    for each in (entry(1, 0.96, baseline=0.955), entry(2, 0.93, GateOutcome.FAILED, changed=("numpy 2.1 -> 2.2",))):
        nights.append(folder.path, each)
    nights.append(folder.path, entry(3, None, GateOutcome.UNDECIDED))
    known = history(file, tmp_path, None)
    told = words(known).splitlines()
    assert "accuracy of the frozen pick, 3 nights" in told[0]
    assert told[-2].split() == "2026-01-02 03:00 failed 0.930 0.920 to 0.940 - numpy 2.1 -> 2.2".split()
    assert "undecided" in told[-1]
    assert json.loads(json.dumps(known.to_dict()))["nights"][0]["band"] is None


def stored(tmp_path, *entries):
    folder = StudyFolder(tmp_path, "gated")
    folder.create()
    for each in entries:
        nights.append(folder.path, each)
    return folder.path


def test_a_line_of_another_version_is_read(tmp_path):
    old = entry(1).to_dict()
    for name in ("night", "reason", "metric"):
        del old["night"][name]
    newer = entry(2).to_dict()
    newer["night"]["weather"] = "rain"
    lines = "".join(json.dumps(each) + "\n" for each in ({**old, "metric": "accuracy"}, newer))
    (tmp_path / nights.FILE).write_text(lines)
    assert nights.read(tmp_path) == [entry(1), entry(2)]


def test_a_night_is_called_by_its_name_and_says_why_it_is_undecided(tmp_path):
    why = entry(2, None, GateOutcome.UNDECIDED, night="2026-11-01", reason="too few", changed=("data",))
    stored(tmp_path, entry(1), why)
    known = history(study_file.load(STUDY), tmp_path, None)
    assert words(known).splitlines()[-1].split() == "2026-11-01 undecided - - too few; data".split()
    (first, second) = known.to_dict()["nights"]
    assert (first["night"], second["night"], second["reason"]) == (None, "2026-11-01", "too few")


def test_scores_of_another_metric_stay_out_of_the_strip(tmp_path):
    stored(tmp_path, entry(1, 0.9), entry(2, 0.95), entry(3, 0.2, metric="loss"))
    told = words(history(study_file.load({**STUDY, "metric": {"name": "accuracy"}}), tmp_path, None)).splitlines()
    assert "accuracy of the frozen pick, 3 nights" in told[0]
    assert told[1].strip() == "▁█"
    assert told[-1].endswith("score is loss")


@pytest.mark.parametrize(
    ("more", "metric", "maximize"),
    [
        ({}, "accuracy", True),
        ({"metric": {"name": "loss"}}, "loss", False),
        ({"data": {"name": "diabetes"}}, "mae", False),
    ],
)
def test_without_a_night_the_metric_is_the_study_s(tmp_path, more, metric, maximize):
    known = history(study_file.load({**STUDY, **more}), tmp_path, None)
    assert (known.to_dict()["metric"], known.maximize) == (metric, maximize)


def test_a_server_that_is_away_leaves_the_nights_of_this_folder(tmp_path):
    folder = StudyFolder(tmp_path, "gated")
    folder.create()
    nights.append(folder.path, entry(1))
    known = history(study_file.load(STUDY), tmp_path, "http://127.0.0.1:9")
    assert len(known.nights) == 1
    assert "127.0.0.1:9" in known.warnings[0]


def test_a_sparkline_rises_with_the_score():
    shown = [entry(1, 0.9).night, entry(2, 0.96).night, entry(3, None).night, entry(4, 1.0).night]
    assert sparkline(shown) == "▁▅-█"
    assert sparkline(shown[:1]) == "▅"
    assert sparkline([]) == ""

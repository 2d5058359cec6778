"""`sweeper baseline`: a file that reads well in a review, and errors that say what is wrong with another one."""

import json
from dataclasses import replace

import pytest
from gate_desk import STUDY, GateDesk, environment

from sweeper import study_file
from sweeper.commands.baseline import set_baseline
from sweeper.commands.baseline_file import read, text, words, write
from sweeper.commands.run import Options, run
from sweeper.errors import NoVerdict, StudyChanged, UsageError


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    desk = GateDesk(tmp_path_factory.mktemp("baseline")).write()
    desk.freeze()
    return desk


def test_the_file_is_small_sorted_and_one_thing_a_line(desk):
    written = desk.baseline.read_text()
    document = json.loads(written)
    assert list(document) == sorted(document)
    assert written == json.dumps(document, indent=2, sort_keys=True) + "\n"
    assert len(document["scores"]) == 20
    assert all(len(str(score)) <= 11 for score in document["scores"])
    assert document["packages"]["numpy"]
    assert len(written) < 8000


def test_what_is_read_is_what_was_written(desk, tmp_path):
    frozen = read(desk.baseline)
    write(frozen, tmp_path / "again.json")
    assert read(tmp_path / "again.json") == frozen
    assert text(frozen) == desk.baseline.read_text()
    assert str(frozen.combination) == "relu + adam"
    assert frozen.params["learning_rate"] > 0.001
    assert (frozen.task, frozen.classes, frozen.test_rows) == ("binary", 2, 80)


def test_freezing_twice_changes_nothing(desk, tmp_path):
    set_baseline(desk.file(), desk.folder / "mlruns", tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text() == desk.baseline.read_text()


def test_it_is_told_in_words(desk):
    told = words(read(desk.baseline))
    assert "relu + adam" in told
    assert "over 20 seeds" in told


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"scores": "many"}, "scores"),
        ({"scores": []}, "two finite numbers"),
        ({"scores": [0.9, None]}, "two finite numbers"),
        ({"scores": [0.9, True]}, "two finite numbers"),
        ({"scores": [0.9, float("nan")]}, "two finite numbers"),
        ({"maximize": "yes"}, "maximize"),
        ({"epsilon": True}, "epsilon"),
        ({"format": 0}, "format 0"),
        ({"metric": None}, "metric"),
        ({"params": [1]}, "params"),
    ],
)
def test_nonsense_is_told_with_its_place(desk, tmp_path, change, told):
    path = tmp_path / "broken.json"
    path.write_text(json.dumps({**json.loads(desk.baseline.read_text()), **change}))
    with pytest.raises(UsageError, match=told) as caught:
        read(path)
    assert "broken.json" in str(caught.value)
    assert "sweeper baseline set" in str(caught.value)


def test_every_missing_key_is_told_at_once(desk, tmp_path):
    document = json.loads(desk.baseline.read_text())
    del document["metric"], document["scores"]
    path = tmp_path / "less.json"
    path.write_text(json.dumps(document))
    with pytest.raises(UsageError) as caught:
        read(path)
    assert len(caught.value.problems) == 2


def test_a_verdict_is_told_from_a_baseline(desk):
    with pytest.raises(UsageError, match="a verdict, which does not say"):
        read(desk.folder / "mlruns/studies/gated/verdict.json")


def test_a_study_that_was_not_run_has_nothing_to_freeze(desk, tmp_path):
    with pytest.raises(UsageError, match="no ledger"):
        set_baseline(desk.file(), tmp_path, tmp_path / "baseline.json")


def test_a_study_that_has_changed_since_is_not_frozen(desk, tmp_path):
    with environment(DATA=7), pytest.raises(StudyChanged, match="data fingerprint"):
        set_baseline(desk.file(), desk.folder / "mlruns", tmp_path / "baseline.json")
    assert not (tmp_path / "baseline.json").exists()


def test_without_a_confirmation_there_is_nothing_to_freeze(tmp_path):
    desk = GateDesk(tmp_path).write(STUDY.replace("{seeds: 20, looks: [20]}", "{seeds: 0}"))
    file = study_file.load(tmp_path / "study.yaml")
    run(file, Options(engine="inline", storage=tmp_path / "mlruns"))
    with pytest.raises(NoVerdict, match="confirmed with 5 seeds"):
        set_baseline(file, tmp_path / "mlruns", desk.baseline)


def test_a_place_that_cannot_be_written_is_told(desk, tmp_path):
    with pytest.raises(UsageError, match="--output"):
        write(read(desk.baseline), tmp_path / "nowhere" / "baseline.json")


def test_numbers_keep_nine_digits(desk):
    frozen = replace(read(desk.baseline), epsilon=0.0123456789012)
    assert json.loads(text(frozen))["epsilon"] == 0.0123456789


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: path.mkdir(), "a folder"),
        (lambda path: path.write_text(""), "something else, or nothing"),
        (lambda path: path.write_text("a,b\n1,2\n"), "something else, or nothing"),
    ],
)
def test_what_is_no_baseline_is_told_in_plain_words(tmp_path, make, told):
    make(tmp_path / "b.json")
    with pytest.raises(UsageError) as caught:
        read(tmp_path / "b.json")
    assert caught.value.problems[0].received == told


def test_names_stand_in_one_order_before_and_after_the_file(desk):
    frozen = replace(read(desk.baseline), params={"b": 1, "a": 2}, packages={"tensorflow": "2", "keras": "3"})
    assert "(a 2, b 1)" in words(frozen)
    assert "keras 3, tensorflow 2" in words(frozen)

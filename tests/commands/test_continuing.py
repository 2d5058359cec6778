from types import SimpleNamespace

import pytest

from sweeper.commands.continuing import NOTE, RUN_BEGAN, SPENT_S, begin_run, compare
from sweeper.errors import StudyChanged


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


def test_whoever_only_reads_a_study_is_told_the_flags_that_it_was_run_with():
    source = SimpleNamespace(name="odd.yaml")
    study = SimpleNamespace(fixed={"training": {"epochs": 30}, "points": 8}, file=SimpleNamespace(source=source))
    compare(study, {NOTE: {"fixed": study.fixed}})
    with pytest.raises(StudyChanged) as caught:
        compare(study, {NOTE: {"fixed": {"training": {"epochs": 3}, "points": 6}}})
    (problem,) = caught.value.problems
    assert problem.cure.endswith("-S training.epochs=3 -S search.points=6")
    assert "--fresh" not in problem.cure


def test_a_parameter_is_told_as_a_whole():
    spec = {"values": None, "value": "adam", "when": None}
    study = SimpleNamespace(
        fixed={"parameters": {"optimizer": {**spec, "values": ["sgd", "adam"], "value": None}}},
        file=SimpleNamespace(source=SimpleNamespace(name="x")),
    )
    with pytest.raises(StudyChanged) as caught:
        compare(study, {NOTE: {"fixed": {"parameters": {"optimizer": spec}}}})
    assert """-S 'parameters.optimizer={"value": "adam"}'""" in caught.value.problems[0].cure


@pytest.mark.parametrize(
    ("looks", "flags"),
    [
        ([2], "-S confirm.seeds=2"),
        ([8, 10], "-S confirm.seeds=10"),
        ([], "-S confirm.seeds=0"),
        ([2, 9], "-S confirm.seeds=9 -S 'confirm.looks=[2, 9]'"),
    ],
)
def test_looks_are_told_with_their_seeds(looks, flags):
    study = SimpleNamespace(fixed={"looks": [5, 10]}, file=SimpleNamespace(source=SimpleNamespace(name="x")))
    with pytest.raises(StudyChanged) as caught:
        compare(study, {NOTE: {"fixed": {"looks": looks}}})
    assert caught.value.problems[0].cure.endswith(f": {flags}")


def test_what_no_flag_brings_back_is_to_be_undone():
    study = SimpleNamespace(fixed={"data fingerprint": "a"}, file=SimpleNamespace(source=SimpleNamespace(name="x")))
    with pytest.raises(StudyChanged) as caught:
        compare(study, {NOTE: {"fixed": {"data fingerprint": "b"}}})
    assert caught.value.problems[0].cure == "undo the change"

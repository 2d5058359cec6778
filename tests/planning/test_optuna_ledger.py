from dataclasses import replace

import optuna
import pytest

from sweeper.data import Task
from sweeper.errors import StorageError
from sweeper.planning.design import BalancedDesign
from sweeper.planning.optuna_ledger import OptunaLedger, stored
from sweeper.planning.stages import Explore
from sweeper.resolve import objective, space
from sweeper.study_file import load
from sweeper.trial import Cohort, Status, TrialEnded, TrialRecord

CONFIG = load({"name": "x", "data": {"name": "digits"}}).config
SPACE, OBJECTIVE = space(CONFIG), objective(CONFIG, Task.MULTICLASS)
DESIGN = BalancedDesign(SPACE, 8, seed=0, epochs=2)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "study.db"


def opened(path):
    return OptunaLedger(path, "x", space=SPACE, objective=OBJECTIVE)


def rows(path):
    """The trials as any Optuna program sees them."""
    storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
    try:
        return optuna.load_study(study_name="x", storage=storage).trials
    finally:
        storage.remove_session()
        storage.engine.dispose()


def record(spec, score=0.5):
    curve = {"loss": (1.0, 0.5), "val_accuracy": (0.4, score)}
    return TrialRecord(spec, TrialEnded.completed(spec, {"val_accuracy": score}, duration_s=0.25), curve, 1234.5)


def test_a_record_comes_back_as_it_was(path):
    ledger = opened(path)
    spec = DESIGN.draft(0)
    ledger.started(Cohort((spec,)))
    ledger.ended(record(spec, 0.75))
    ledger.close()
    again = opened(path)
    assert again.history.records() == [record(spec, 0.75)]
    assert again.history.waiting == {}
    assert stored(path, "x").records == (record(spec, 0.75),)
    again.close()


def test_numbers_agree_with_optuna_whatever_the_order_of_ends(path):
    ledger = opened(path)
    first, second = (Cohort(tuple(DESIGN.draft(i) for i in part)) for part in (range(4), range(4, 8)))
    ledger.started(first)
    ledger.started(second)
    for spec in (*second.trials, *first.trials):
        ledger.ended(record(spec, spec.number / 10))
    ledger.close()
    trials = rows(path)
    assert [trial.value for trial in trials] == [n / 10 for n in range(8)]
    assert trials[3].params["learning_rate"] == DESIGN.draft(3).params["learning_rate"]


def test_a_trial_that_died_with_its_coordinator_keeps_its_row(path):
    ledger = opened(path)
    cohort = Cohort(tuple(DESIGN.draft(i) for i in range(3)))
    ledger.started(cohort)
    ledger.ended(record(cohort.trials[1]))
    ledger.close()
    again = opened(path)
    assert set(again.history.waiting) == {0, 2}
    again.started(Cohort((cohort.trials[0], cohort.trials[2])))
    for spec in (cohort.trials[0], cohort.trials[2]):
        again.ended(record(spec))
    again.close()
    assert [r.spec.number for r in stored(path, "x").records] == [0, 1, 2]
    assert len(rows(path)) == 3


def test_a_cohort_gets_all_of_its_rows_or_none(path):
    ledger = opened(path)
    good = tuple(DESIGN.draft(i) for i in range(2))
    with pytest.raises(ValueError, match="unheard-of"):
        ledger.started(Cohort((*good, replace(DESIGN.draft(2), params={"activation": "unheard-of"}))))
    assert rows(path) == []
    assert ledger.history.waiting == {}
    ledger.started(Cohort(good))
    ledger.ended(record(good[1], 0.75))
    ledger.close()
    assert [trial.value for trial in rows(path)] == [None, 0.75]


@pytest.mark.parametrize(
    ("ended", "state", "value"),
    [
        (lambda s: TrialEnded(s.number, Status.DIVERGED, {"val_accuracy": 0.1}, 1, "diverged"), "COMPLETE", 0.1),
        (lambda s: TrialEnded.failed(s, "boom"), "FAIL", None),
        (lambda s: TrialEnded.failed(s, "gone", status=Status.CRASHED), "FAIL", None),
        (lambda s: TrialEnded.pruned(s, {"val_accuracy": 0.3}, epochs=1), "PRUNED", 0.3),
        (lambda s: TrialEnded.completed(s, {"val_accuracy": float("nan")}), "FAIL", None),
    ],
)
def test_every_status_has_its_state_in_optuna(path, ended, state, value):
    ledger = opened(path)
    spec = DESIGN.draft(0)
    ledger.started(Cohort((spec,)))
    ledger.ended(TrialRecord(spec, ended(spec)))
    ledger.close()
    (trial,) = rows(path)
    assert (trial.state.name, trial.value) == (state, value)


def test_failures_can_be_forgiven_for_good(path):
    ledger = opened(path)
    spec = DESIGN.draft(0)
    ledger.started(Cohort((spec,)))
    ledger.ended(TrialRecord(spec, TrialEnded.failed(spec, "boom")))
    ledger.forgive_failures()
    assert ledger.history.records() == []
    ledger.close()
    again = opened(path)
    assert again.history.records() == []
    assert 0 in again.history
    again.close()


def test_a_damaged_file_is_told_and_left_alone(path):
    path.write_bytes(b"SQLite format 3\0" + b"garbage" * 1000)
    before = path.read_bytes()
    with pytest.raises(StorageError, match="--fresh"):
        opened(path)
    assert path.read_bytes() == before


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(StorageError, match="--storage"):
        opened(tmp_path / "missing" / "study.db")


def test_memory_keeps_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ledger = opened(None)
    spec = DESIGN.draft(0)
    ledger.started(Cohort((spec,)))
    ledger.ended(record(spec))
    assert ledger.history.records() == [record(spec)]
    assert list(tmp_path.iterdir()) == []


def test_a_row_is_never_filled_with_another_trial(path):
    """After a kill the plan may have changed: rows that were handed out stay those of their trials."""
    ledger = opened(path)
    cohort = Cohort(tuple(DESIGN.draft(i) for i in range(8)))
    ledger.started(cohort)
    ledger.ended(TrialRecord(cohort.trials[0], TrialEnded.failed(cohort.trials[0], "boom")))
    for spec in cohort.trials[1:4]:
        ledger.ended(record(spec))
    ledger.close()
    again = opened(path)
    again.forgive_failures()
    planned = [spec for c in Explore(DESIGN, 8).next_round(again.history) for spec in c.trials]
    assert [spec.number for spec in planned[:5]] == [8, 4, 5, 6, 7]
    for c in Explore(DESIGN, 8).next_round(again.history):
        again.started(c)
        for spec in c.trials:
            again.ended(record(spec, spec.params["learning_rate"] % 1))
    again.close()
    for each in stored(path, "x").records[4:]:
        assert each.value("val_accuracy") == each.spec.params["learning_rate"] % 1
    assert {(r.spec.combination, r.spec.repetition) for r in stored(path, "x").records} == {
        (DESIGN.draft(i).combination, DESIGN.draft(i).repetition) for i in range(72)
    }

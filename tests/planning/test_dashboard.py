import optuna
import pytest
from optuna_dashboard import get_note, save_note

from sweeper.data import Task
from sweeper.planning.dashboard import POINTS, SIGNED, steps
from sweeper.planning.design import BalancedDesign
from sweeper.planning.optuna_ledger import OptunaLedger
from sweeper.resolve import objective, space
from sweeper.study_file import load
from sweeper.trial import Cohort, TrialEnded, TrialRecord

CONFIG = load({"name": "x", "data": {"name": "digits"}}).config
SPACE, OBJECTIVE = space(CONFIG), objective(CONFIG, Task.MULTICLASS)
DESIGN = BalancedDesign(SPACE, 8, seed=0, epochs=30)


@pytest.fixture
def ledger(tmp_path):
    opened = OptunaLedger(tmp_path / "study.db", "x", space=SPACE, objective=OBJECTIVE)
    yield opened
    opened.close()


def trained(ledger, curve):
    spec = DESIGN.draft(0)
    ledger.started(Cohort((spec,)))
    end = TrialEnded.completed(spec, {"val_accuracy": 0.5})
    ledger.ended(TrialRecord(spec, end, {"val_accuracy": curve}, 1234.5))
    (trial,) = ledger.study.get_trials()
    return spec, trial


def test_a_trial_says_what_it_was_for(ledger):
    spec, trial = trained(ledger, (0.4, 0.5))
    assert trial.user_attrs["stage"] == "explore"
    assert trial.user_attrs["combination"] == str(spec.combination)
    assert trial.params["optimizer"] == spec.params["optimizer"]
    assert ledger.study.metric_names == ["val_accuracy"]


def test_a_curve_is_shown_in_few_points_the_last_among_them(ledger):
    curve = tuple(epoch / 100 for epoch in range(30))
    _, trial = trained(ledger, curve)
    assert trial.intermediate_values == {step: curve[step] for step in range(2, 30, 3)}


def test_a_curve_that_leaves_the_numbers_is_shown_too(ledger):
    _, trial = trained(ledger, (0.5, float("inf"), float("-inf")))
    assert trial.intermediate_values == {0: 0.5, 1: float("inf"), 2: float("-inf")}


@pytest.mark.parametrize("epochs", [1, 2, 9, 10, 11, 25, 1000])
def test_steps_are_evenly_spread_and_end_with_the_last_epoch(epochs):
    shown = steps(epochs)
    assert shown[-1] == epochs - 1
    assert len(shown) == len(set(shown)) == min(epochs, POINTS)
    assert max(gap := [b - a for a, b in zip([-1, *shown], shown, strict=False)]) - min(gap) <= 1


def test_what_a_pruner_was_told_stays(ledger):
    spec = DESIGN.draft(0)
    ledger.started(Cohort((spec,)))
    ledger.study._storage.set_trial_intermediate_value(ledger.row(0), 1, 0.9)
    end = TrialEnded.completed(spec, {"val_accuracy": 0.5})
    ledger.ended(TrialRecord(spec, end, {"val_accuracy": (0.4, 0.5)}, 1234.5))
    assert ledger.study.get_trials()[0].intermediate_values == {0: 0.4, 1: 0.9}


def test_the_note_says_what_stages_mean_and_then_the_verdict(ledger):
    ledger.describe("Which wins?")
    assert get_note(ledger.study).startswith("Which wins?\n\nThe value of a trial is its `val_accuracy`")
    ledger.describe("### relu + adam wins")
    assert get_note(ledger.study).startswith("### relu + adam wins\n")
    assert get_note(ledger.study).endswith(SIGNED)


def test_a_note_of_ones_own_stays(ledger):
    ledger.describe("Which wins?")
    save_note(ledger.study, "my thoughts")
    ledger.describe("### relu + adam wins")
    assert get_note(ledger.study) == "my thoughts"


def test_a_long_note_is_cut_and_still_signed(ledger):
    ledger.describe("long " * 1000)
    assert len(get_note(ledger.study)) <= 2045
    ledger.describe("short")
    assert get_note(ledger.study).startswith("short\n")


def test_a_ledger_in_memory_shows_no_curve():
    ledger = OptunaLedger(None, "x", space=SPACE, objective=OBJECTIVE)
    _, trial = trained(ledger, (0.4, 0.5))
    assert trial.state is optuna.trial.TrialState.COMPLETE
    assert trial.intermediate_values == {}

import hashlib
import json
import threading

import pytest

from sweeper import study_file
from sweeper.commands.continuing import ABOUT, continue_or_begin
from sweeper.commands.prepare import prepare
from sweeper.commands.tracking import Tracking, Waking, away, open_tracking
from sweeper.errors import TrackingAway
from sweeper.folder import StudyFolder
from sweeper.planning.optuna_ledger import OptunaLedger
from sweeper.testing import MemoryTracker
from sweeper.tracking.parent import identifying, plan_text
from sweeper.trial import Combination, Seeds, Stage, TrialEnded, TrialRecord, TrialSpec


@pytest.fixture
def wanted():
    return threading.Event()


def record():
    spec = TrialSpec(0, Stage.EXPLORE, Combination({"activation": "relu"}), {}, Seeds(0, 0, 0), epochs=1)
    return TrialRecord(spec, TrialEnded.completed(spec, {"val_accuracy": 0.5}), {}, 0.0)


def test_the_store_is_wanted_as_soon_as_there_is_a_trial_to_write(wanted):
    memory = MemoryTracker()
    waking = Waking(memory, wanted)
    waking.start({"name": "x"})
    assert not wanted.is_set()
    waking.trial(record())
    assert wanted.is_set()
    assert [each.spec.number for each in memory.records] == [0]
    assert memory.study == {"name": "x"}


def test_the_store_is_wanted_at_the_end_of_a_study_without_trials(wanted):
    memory = MemoryTracker()
    Waking(memory, wanted).finish("KILLED", [], {})
    assert wanted.is_set()
    assert memory.status == "KILLED"


def test_whoever_asks_for_the_ids_or_gives_up_waits_for_no_trial(wanted):
    Tracking(MemoryTracker(), ledger=None, wanted=wanted).ids()
    assert wanted.is_set()
    wanted.clear()
    Tracking(MemoryTracker(), ledger=None, wanted=wanted).abandon()
    assert wanted.is_set()


STUDY = {"name": "plans", "data": {"name": "iris"}, "trainer": "none:none", "confirm": {"seeds": 10}}
PLANNED = {
    "metric.epsilon": 0.02,
    "metric.tie_break": "top_5_accuracy",
    "confirm.alpha": 0.1,
    "confirm.finalists": 2,
    "confirm.seeds": 20,
    "search.points": 12,
    "parameters.activation": {"values": ["relu", "tanh"]},
    "parameters.learning_rate": {"min": 1e-4, "max": 1e-2, "scale": "log"},
}
OTHER = {
    "description": "why",
    "engine.workers": 3,
    "tracking.children": "finalists",
    "budget.time": "2h",
    "training.epochs": 7,
    "search.seed": 5,
}


def told(tmp_path, overrides=None):
    """What tracking is told of a study at its beginning, as its ledger has it."""
    study = prepare(study_file.load(STUDY, overrides or {}))
    ledger = OptunaLedger(None, "plans", space=study.space, objective=study.objective)
    continue_or_begin(study, ledger, extend=False)
    open_tracking(None, study, ledger, StudyFolder(tmp_path, "plans"), deliver="")
    return ledger.notes[ABOUT]


def test_the_plan_names_all_that_a_verdict_rests_on_and_can_be_checked(tmp_path):
    about = told(tmp_path)
    plan = about["plan"]
    assert plan["metric"] == "accuracy"
    assert plan["goal"] == "maximize"
    assert (plan["epsilon"], plan["alpha"], plan["points"], plan["looks"]) == (0.003, 0.05, 8, [8, 10])
    assert plan["finalists"] == 5
    assert any("0.001 to 10 (log)" in ranges for ranges in plan["ranges"])
    assert about["plan_hash"] == hashlib.sha256(plan_text(plan).encode()).hexdigest()
    params = identifying(about)
    assert params["plan.sha256"] == about["plan_hash"]
    assert {f"plan.{name}" for name in plan} <= set(params)


@pytest.mark.parametrize("key", PLANNED)
def test_another_plan_has_another_hash(tmp_path, key):
    assert told(tmp_path, {key: PLANNED[key]})["plan_hash"] != told(tmp_path)["plan_hash"]


@pytest.mark.parametrize("key", OTHER)
def test_what_is_not_of_the_plan_leaves_its_hash(tmp_path, key):
    assert told(tmp_path, {key: OTHER[key]})["plan_hash"] == told(tmp_path)["plan_hash"]


def test_no_password_gets_into_the_ledger(tmp_path):
    about = told(tmp_path, {"tracking.uri": "http://anna:s3cret@127.0.0.1:1"})
    assert "s3cret" not in json.dumps(about)


def test_silence_is_told_where_there_is_a_ledger_to_send_from_later():
    assert "training goes on" in away("http://127.0.0.1:9", can_wait=True)
    with pytest.raises(TrackingAway):
        away("http://127.0.0.1:9", can_wait=False)


class Opening:
    """A background tracker whose parent run is there after so many questions."""

    def __init__(self, questions):
        self.questions = questions

    @property
    def is_settled(self):
        return self.questions == 0

    def ids(self, timeout_s):
        self.questions -= 1


def test_a_new_study_waits_for_its_plan_and_hears_signals_meanwhile():
    opening, asked = Opening(3), []
    Tracking(MemoryTracker(), None, opening, is_new=True).plan_written(lambda: asked.append(opening.questions))
    assert asked == [3, 2, 1]
    with pytest.raises(KeyboardInterrupt):
        Tracking(MemoryTracker(), None, Opening(3), is_new=True).plan_written(interrupted)


def interrupted():
    raise KeyboardInterrupt


def test_a_study_that_goes_on_does_not_wait():
    opening = Opening(3)
    Tracking(MemoryTracker(), None, opening).plan_written(interrupted)
    assert opening.questions == 3

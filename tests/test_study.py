import math

import pytest

from sweeper.engines.inline import InlineEngine
from sweeper.errors import Incomplete, Interrupted
from sweeper.planning.design import BalancedDesign
from sweeper.planning.optuna_ledger import OptunaLedger
from sweeper.planning.stages import Explore
from sweeper.resolve import space
from sweeper.study import AHEAD, Drive, Limits
from sweeper.study_file import load
from sweeper.testing import MemoryTracker, ScriptedTrainer, SilentObserver, small_dataset
from sweeper.trial import EpochEnded, Heartbeat, Status, TrialEnded
from sweeper.verdict import Objective

SPACE = space(load({"name": "x", "data": {"name": "digits"}}).config)
OBJECTIVE = Objective("accuracy", True, 0.003)
DESIGN = BalancedDesign(SPACE, 8, seed=0, epochs=2)


def run(trainer, *, ledger=None, limits=None):
    ledger = ledger or OptunaLedger(None, "x", space=SPACE, objective=OBJECTIVE)
    tracker = MemoryTracker()
    drive = Drive(
        Explore(DESIGN, 8), ledger, tracker, SilentObserver(), OBJECTIVE, limits or Limits(),
        no_information={"accuracy": 0.1, "loss": 2.3},
    )  # fmt: skip
    drive.run(InlineEngine(lambda: (trainer, small_dataset())))
    return ledger, tracker


def test_every_trial_is_in_the_ledger_and_then_in_the_tracker():
    ledger, tracker = run(ScriptedTrainer(lambda spec: 0.5))
    assert [record.spec.number for record in ledger.history.records()] == list(range(72))
    assert tracker.records == ledger.history.records()
    assert ledger.history.records()[0].curve == {"val_accuracy": (0.5, 0.5)}


def test_a_diverged_trial_gets_the_score_of_no_information():
    ledger, _ = run(ScriptedTrainer(lambda spec: math.nan if spec.number == 5 else 0.5))
    record = ledger.history.records()[5]
    assert record.ended.status is Status.DIVERGED
    assert record.value("val_accuracy") == 0.1


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_score_that_is_no_number_is_a_divergence(value):
    def train(cohort, data, report):
        return [TrialEnded.completed(spec, {"val_accuracy": value}) for spec in cohort.trials]

    ledger, _ = run(train)
    assert {record.ended.status for record in ledger.history.records()} == {Status.DIVERGED}


def all_fail(cohort, data, report):
    raise ValueError("no such layer")


def test_a_study_whose_first_trials_all_fail_is_given_up():
    with pytest.raises(Incomplete, match="no such layer"):
        run(all_fail)


def test_a_missing_metric_is_told():
    def train(cohort, data, report):
        return [TrialEnded.completed(spec, {"accuracy": 1.0}) for spec in cohort.trials]

    with pytest.raises(Incomplete, match="returned no val_accuracy"):
        run(train)


def test_a_few_failures_are_data():
    def train(cohort, data, report):
        return [
            TrialEnded.failed(s, "boom") if s.number % 10 == 9 else TrialEnded.completed(s, {"val_accuracy": 0.5})
            for s in cohort.trials
        ]

    ledger, _ = run(train)
    statuses = [record.ended.status for record in ledger.history.records()]
    assert statuses.count(Status.FAILED) == 7
    assert len(statuses) == 72


def test_time_that_is_up_ends_the_study_between_cohorts():
    ledger = OptunaLedger(None, "x", space=SPACE, objective=OBJECTIVE)
    with pytest.raises(Incomplete, match=r"budget\.time"):
        run(ScriptedTrainer(lambda spec: 0.5), ledger=ledger, limits=Limits(time_s=0.0))
    assert len(ledger.history) == 0


def test_an_interrupted_study_continues_with_what_is_missing(tmp_path):
    class AfterTen:
        count = 0

        def __call__(self):
            self.count += 1
            if self.count > 40:
                raise Interrupted

    def opened():
        return OptunaLedger(tmp_path / "study.db", "x", space=SPACE, objective=OBJECTIVE)

    whole, _ = run(ScriptedTrainer(lambda spec: spec.number / 100))
    ledger = opened()
    with pytest.raises(Interrupted):
        run(ScriptedTrainer(lambda spec: spec.number / 100), ledger=ledger, limits=Limits(interrupted=AfterTen()))
    done = len(ledger.history)
    assert 0 < done < 72
    ledger.close()
    trainer = ScriptedTrainer(lambda spec: spec.number / 100)
    ledger, _ = run(trainer, ledger=opened())
    assert len(trainer.trained) == 72 - done
    assert [r.ended for r in ledger.history.records()] == [r.ended for r in whole.history.records()]
    ledger.close()


def test_one_combination_that_always_fails_is_data():
    broken = SPACE.combinations()[0]

    def train(cohort, data, report):
        return [
            TrialEnded.failed(s, "boom") if s.combination == broken else TrialEnded.completed(s, {"val_accuracy": 0.5})
            for s in cohort.trials
        ]

    for failures in (0.9, 1.0):
        ledger, _ = run(train, limits=Limits(failures=failures))
        statuses = [record.ended.status for record in ledger.history.records()]
        assert statuses.count(Status.FAILED) == 8
        assert len(statuses) == 72


def test_first_failures_of_two_combinations_are_a_fault_of_the_study():
    ledger = OptunaLedger(None, "x", space=SPACE, objective=OBJECTIVE)
    with pytest.raises(Incomplete, match="no such layer"):
        run(all_fail, ledger=ledger, limits=Limits(failures=0.95))
    records = ledger.history.records()
    assert len({record.spec.combination for record in records}) == 2


def test_failures_never_end_a_study_that_allows_all_of_them():
    ledger, _ = run(all_fail, limits=Limits(failures=1.0))
    assert len(ledger.history) == 72


def test_nothing_is_handed_out_before_the_study_may_begin():
    ledger, asked = OptunaLedger(None, "x", space=SPACE, objective=OBJECTIVE), []
    drive = Drive(
        Explore(DESIGN, 8), ledger, MemoryTracker(), SilentObserver(), OBJECTIVE,
        may_begin=lambda: asked.append(len(ledger.history.waiting)),
    )  # fmt: skip
    assert drive.next_cohort()
    assert drive.next_cohort()
    assert asked == [0]


def test_an_engine_that_loses_trials_is_a_loud_bug():
    class Forgetful:
        def run(self, next_cohort, on_event):
            next_cohort()

    drive = Drive(
        Explore(DESIGN, 8), OptunaLedger(None, "x", space=SPACE, objective=OBJECTIVE), MemoryTracker(),
        SilentObserver(), OBJECTIVE,
    )  # fmt: skip
    with pytest.raises(RuntimeError, match="have not ended"):
        drive.run(Forgetful())


def test_a_trial_that_has_ended_is_stored_before_the_study_is_interrupted():
    asked = []

    def train(cohort, data, report):
        asked.append("to stop")
        return [TrialEnded.completed(cohort.trials[0], {"val_accuracy": 0.5})]

    def interrupted():
        if asked:
            raise Interrupted

    ledger = OptunaLedger(None, "x", space=SPACE, objective=OBJECTIVE)
    with pytest.raises(Interrupted):
        run(train, ledger=ledger, limits=Limits(interrupted=interrupted))
    assert len(ledger.history) == 1


@pytest.mark.parametrize("first", [0, 1])
def test_a_second_attempt_does_not_double_the_curve(first):
    def train(cohort, data, report):
        for spec in cohort.trials:
            for attempt in (0.25, 0.5):
                for epoch in (first, first + 1):
                    report(EpochEnded(spec.number, epoch, {"val_accuracy": attempt}))
        return [TrialEnded.completed(spec, {"val_accuracy": 0.5}) for spec in cohort.trials]

    ledger, _ = run(train)
    assert ledger.history.records()[0].curve == {"val_accuracy": (0.5, 0.5)}


def test_the_next_cohort_has_its_rows_while_another_trains():
    ledger = OptunaLedger(None, "x", space=SPACE, objective=OBJECTIVE)
    drive = Drive(Explore(DESIGN, 8), ledger, MemoryTracker(), SilentObserver(), OBJECTIVE)
    first = drive.next_cohort()
    drive.on_event(Heartbeat())
    assert set(ledger.history.waiting) == set(range(16))
    for spec in first.trials:
        drive.on_event(TrialEnded.completed(spec, {"val_accuracy": 0.5}))
    assert [spec.number for spec in drive.next_cohort().trials] == list(range(8, 16))
    assert set(ledger.history.waiting) == set(range(8, 16))


def test_an_engine_may_choose_and_the_rows_come_in_order_all_the_same():
    ledger = OptunaLedger(None, "x", space=SPACE, objective=OBJECTIVE)
    drive = Drive(Explore(DESIGN, 8), ledger, MemoryTracker(), SilentObserver(), OBJECTIVE)
    offered = []
    third = drive.next_cohort(lambda cohorts: offered.append(len(cohorts)) or 2)
    assert offered == [AHEAD]
    assert [spec.number for spec in third.trials] == list(range(16, 24))
    assert set(ledger.history.waiting) == set(range(24))
    assert [spec.number for spec in drive.next_cohort().trials] == list(range(8))

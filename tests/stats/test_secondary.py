from dataclasses import replace

import pytest
from stat_records import ACCURACY, LOSS, as_planned, confirmed, explored, peaked, record, space

from sweeper.reads import Reads
from sweeper.stats.judging import JudgeRules, judge
from sweeper.stats.judging import study as studied
from sweeper.stats.secondary import secondary
from sweeper.trial import Stage, Status

RULES = JudgeRules(looks=(10,), no_information={"accuracy": 0.1})
THREE = space("adam", "sgd", "lion")


def read(records, where=THREE, objective=ACCURACY):
    verdict = judge("x", records, space=where, objective=objective, rules=RULES)
    known = RULES.no_information.get(objective.metric)
    return secondary(records, verdict, space=where, objective=objective, no_information=known, seed=0)


def whole():
    """A finished study of three optimizers."""
    records = peaked("adam", 0.95) + peaked("sgd", 0.93) + peaked("lion", 0.85)
    chosen = studied(records, space=THREE, objective=ACCURACY, rules=RULES).finalists.chosen
    scores = {"adam": 0.94, "sgd": 0.92, "lion": 0.9}
    runs = [
        replace(run, curve={"val_accuracy": (0.5, 0.9, 0.91)}, ended=replace(run.ended, metrics=both(run)))
        for each in chosen
        for run in confirmed(each.combination["optimizer"], [scores[each.combination["optimizer"]]] * 10)
    ]
    return as_planned(records + runs, chosen)


def both(run):
    return {**run.ended.metrics, "val_accuracy": run.ended.metrics["test_accuracy"]}


def test_everything_is_read_from_a_finished_study():
    found = read(whole())
    assert [factor.name for factor in found.factors] == ["optimizer"]
    assert found.factors[0].levels[0].value == "adam"
    assert found.interplay is None  # of one compared parameter
    assert len(found.sensitivity.windows) == 3
    assert found.speed is not None
    assert found.tuning[0].leader(8).value == "adam"
    assert found.importance.weights[0].name == "learning_rate"


def test_the_numbers_are_those_of_the_verdict():
    records = whole()
    verdict = judge("x", records, space=THREE, objective=ACCURACY, rules=RULES)
    estimates = {e.combination["optimizer"]: e.estimate for e in verdict.explored}
    mean = sum(estimates.values()) / 3
    for level in read(records).factors[0].levels:
        assert level.effect == pytest.approx(estimates[level.value] - mean)


def test_unequal_effort_has_no_tuning_curves_and_no_importance():
    searched = [replace(r, spec=replace(r.spec, stage=Stage.SEARCH)) for r in whole() if r.spec.stage is Stage.EXPLORE]
    found = read(searched)
    assert found.tuning == ()
    assert found.importance is None
    assert found.sensitivity is not None


@pytest.mark.parametrize(
    "records",
    [
        [],
        [record(Stage.EXPLORE, "adam", {}, status=Status.FAILED)] * 30,
        explored("adam", {}, diverged=[0.001 * i for i in range(1, 30)]),
    ],
    ids=["nothing trained", "everything failed", "everything diverged"],
)
def test_nothing_is_read_from_nothing(records):
    assert read(records) == Reads()


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_a_study_cut_short_can_be_read(count):
    found = read(whole()[:count])
    assert found.speed is None
    assert len(found.sensitivity.windows) == (1 if count < 9 else 2)


def test_losses():
    rates = {10.0 ** -(i / 2): 1.0 + 0.1 * i for i in range(8)}
    records = explored("adam", rates, metric="loss") + explored("sgd", rates, metric="loss")
    assert read(records, space("adam", "sgd"), LOSS).tuning[0].curves[0].expected[0] > 1.0

"""Studies that are not the usual ones, each from its file to its verdict: losses, ceilings, divergence, borders."""

from math import log10

import numpy as np
import pytest
from playing import trained

from sweeper import study_file
from sweeper.commands.prepare import prepare
from sweeper.seeds import derive
from sweeper.trial import Stage, Status, TrialEnded
from sweeper.verdict import Outcome

STUDY = {
    "name": "odd",
    "trainer": "worlds:trainer",
    "training": {"epochs": 1},
    "parameters": {
        "activation": {"values": ["relu", "tanh"]},
        "optimizer": {"values": ["sgd", "adam"]},
        "learning_rate": {"min": 1e-5, "max": 1e-1, "scale": "log"},
    },
    "confirm": {"seeds": 10},
}
GAPS = {"relu + sgd": 0.0, "relu + adam": 1.0, "tanh + sgd": 2.0, "tanh + adam": 3.0}
"""How far each combination is behind the best."""


def run(score, **changes):
    """Verdict, records and preparation of a study; `score(spec, gap, noise)` gives the metrics, None for divergence.

    `gap` grows with the distance from the best combination and, by decades squared, from a rate of 1e-3; `noise` is
    standard normal, of the training alone.
    """
    study = prepare(study_file.load({**STUDY, **changes}))

    def score_of(spec):
        gap = GAPS[str(spec.combination)] + log10(spec.params["learning_rate"] / 1e-3) ** 2
        own = derive(str(spec.combination), str(spec.params["learning_rate"]), spec.seeds.init)
        metrics = score(spec, gap, np.random.default_rng(own).standard_normal())
        return TrialEnded.diverged(spec, 0) if metrics is None else TrialEnded.completed(spec, metrics)

    verdict, ledger = trained(study, lambda cohort, data, report: [score_of(spec) for spec in cohort.trials])
    return verdict, tuple(ledger.history.records()), study


def told(value, name="accuracy"):
    return {f"{part}_{name}": float(value) for part in ("val", "test")}


def accuracy(spec, gap, noise):
    return told(0.95 - 0.01 * gap + 0.002 * noise)


def error(spec, gap, noise):
    return told(40.0 + 2.0 * gap + 0.3 * noise, "mae")


REGRESSION = {"data": {"name": "diabetes"}, "metric": {"name": "mae"}}
CLASSES = {"data": {"name": "iris"}}


def noted(verdict, words):
    return any(words in note for note in verdict.notes)


def test_the_least_error_wins_a_regression_and_epsilon_is_a_share_of_it():
    verdict, _, _ = run(error, **REGRESSION)
    assert (verdict.outcome, str(verdict.winner), verdict.goal) == (Outcome.WINNER, "relu + sgd", "minimize")
    assert verdict.epsilon == pytest.approx(0.01 * verdict.finalists[0].score)
    assert verdict.pick.params["learning_rate"] == pytest.approx(1e-3, rel=0.5)
    assert verdict.pick.expected == pytest.approx(40.0, abs=0.5)


def test_errors_within_a_hundredth_of_each_other_are_a_tie():
    def alike(spec, gap, noise):
        return told(40.0 + 0.02 * GAPS[str(spec.combination)] + log10(spec.params["learning_rate"] / 1e-3) ** 2, "mae")

    verdict, _, _ = run(alike, **REGRESSION)
    assert (verdict.outcome, verdict.winner) == (Outcome.TIE, None)
    assert verdict.regret <= verdict.epsilon


def test_a_regression_that_diverges_counts_as_the_mean_for_prediction():
    def unstable(spec, gap, noise):
        struck = str(spec.combination) == "relu + sgd" and spec.stage is Stage.CONFIRM and spec.repetition == 1
        return None if struck else error(spec, gap, noise)

    verdict, _, study = run(unstable, **REGRESSION)
    finalist = next(each for each in verdict.finalists if str(each.combination) == "relu + sgd")
    targets = study.data.y
    assert max(finalist.scores) == pytest.approx(np.abs(targets - targets.mean()).mean())
    assert (finalist.diverged, finalist.unstable) == (1, True)
    assert noted(verdict, "Unstable: relu + sgd diverged in 1 of")


def test_a_cross_entropy_that_diverges_counts_as_equal_probabilities():
    def unstable(spec, gap, noise):
        struck = str(spec.combination) == "relu + sgd" and spec.stage is Stage.CONFIRM and spec.repetition == 1
        return None if struck else told(0.2 + 0.05 * gap + 0.01 * noise, "loss")

    verdict, _, _ = run(unstable, **CLASSES, metric={"name": "loss"})
    finalist = next(each for each in verdict.finalists if str(each.combination) == "relu + sgd")
    assert max(finalist.scores) == pytest.approx(np.log(3))


def test_at_the_ceiling_the_second_metric_decides():
    def full(spec, gap, noise):
        return told(1.0) | told(0.02 + 0.01 * gap + 0.0005 * noise, "loss")

    verdict, _, _ = run(full, **CLASSES)
    assert verdict.decided_by == "loss"
    assert (verdict.outcome, str(verdict.winner)) == (Outcome.WINNER, "relu + sgd")
    assert verdict.pick.expected == verdict.finalists[0].score == 1.0
    assert noted(verdict, "accuracy is at its ceiling; loss decides")


def test_at_the_ceiling_without_a_second_metric_it_is_a_tie():
    verdict, _, _ = run(lambda spec, gap, noise: told(1.0), **CLASSES)
    assert verdict.outcome is Outcome.TIE
    assert noted(verdict, "no second metric")


def test_where_everything_diverges_there_is_no_verdict_and_no_pick():
    verdict, records, _ = run(lambda spec, gap, noise: None, **CLASSES)
    assert (verdict.outcome, verdict.pick, verdict.finalists) == (Outcome.NO_VERDICT, None, ())
    assert {record.spec.stage for record in records} == {Stage.EXPLORE}
    assert noted(verdict, f"{len(records)} of {len(records)} diverged")


def test_without_a_confirmation_there_is_a_pick_and_no_verdict():
    verdict, _, _ = run(accuracy, **CLASSES, confirm={"seeds": 0})
    assert (verdict.outcome, str(verdict.pick.combination)) == (Outcome.NO_VERDICT, "relu + sgd")
    assert verdict.pick.expected is None
    assert noted(verdict, "Nothing was confirmed")


def test_nothing_is_confirmed_close_to_a_rate_that_diverges():
    def cliff(spec, gap, noise):
        return None if spec.params["learning_rate"] > 2e-3 else accuracy(spec, gap, noise)

    verdict, records, _ = run(cliff, **CLASSES)
    lowest = min(r.spec.params["learning_rate"] for r in records if r.ended.status is Status.DIVERGED)
    confirmed = {r.spec.params["learning_rate"] for r in records if r.spec.stage is Stage.CONFIRM}
    assert max(confirmed) <= lowest * 10**-0.3 * (1 + 1e-9)
    assert str(verdict.pick.combination) == "relu + sgd"


def test_an_unstable_one_is_not_picked_from_a_tie():
    def shaky(spec, gap, noise):
        struck = str(spec.combination) == "relu + sgd" and spec.stage is Stage.CONFIRM and spec.repetition == 2
        far = log10(spec.params["learning_rate"] / 1e-3) ** 2
        return None if struck else told(0.95 - 0.01 * far + 0.01 * noise)

    verdict, _, _ = run(shaky, **CLASSES)
    assert len(verdict.may_be_best) > 1
    assert str(verdict.pick.combination) != "relu + sgd"


def test_a_best_rate_beyond_the_range_is_found_in_the_added_decade_or_said():
    def rising(spec, gap, noise):
        return told(0.95 - 0.01 * GAPS[str(spec.combination)] - 0.02 * log10(spec.params["learning_rate"] / 0.5) ** 2)

    verdict, records, _ = run(rising, **CLASSES)
    assert any(record.spec.stage is Stage.WIDEN for record in records)
    assert verdict.pick.params["learning_rate"] > 0.1
    assert not noted(verdict, "border")
    further, _, _ = run(lambda spec, gap, noise: told(0.9 + 0.01 * log10(spec.params["learning_rate"])), **CLASSES)
    assert noted(further, "is best at the border of its range of learning_rate")


def test_a_second_tuned_parameter_doubles_the_points_and_is_tuned_too():
    parameters = STUDY["parameters"] | {"momentum": {"min": 0.0, "max": 0.99, "when": {"optimizer": "sgd"}}}

    def valley(spec, gap, noise):
        off = (spec.params.get("momentum", 0.8) - 0.8) ** 2
        return told(0.95 - 0.01 * gap - 0.2 * off + 0.001 * noise)

    verdict, records, _ = run(valley, **CLASSES, parameters=parameters)
    assert sum(record.spec.stage is Stage.EXPLORE for record in records) == 4 * 16
    assert str(verdict.winner) == "relu + sgd"
    assert verdict.pick.params["momentum"] == pytest.approx(0.8, abs=0.15)
    assert "momentum" not in next(e for e in verdict.finalists if str(e.combination) == "relu + adam").params

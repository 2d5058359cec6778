import itertools
from dataclasses import replace

import numpy as np
import pytest
from stat_records import ACCURACY, explored, parameter, peaked, space

from sweeper.space import Choice, Range, Space
from sweeper.stats.importance import Column, best_trials, divergence, importance
from sweeper.trial import Combination, Seeds, Stage, TrialEnded, TrialRecord, TrialSpec

RATES = {"sgd": Range(1e-3, 10, log=True), "adam": Range(1e-5, 0.1, log=True)}
SPACE = Space(
    (
        parameter("activation", Choice(("relu", "tanh", "gelu"))),
        parameter("optimizer", Choice(("sgd", "adam"))),
        replace(
            parameter("learning_rate", RATES["sgd"], optimizer="sgd"),
            branches=tuple(parameter("learning_rate", r, optimizer=o).branches[0] for o, r in RATES.items()),
        ),
    ),
    ("activation", "optimizer"),
)


def trials(score, points=8):
    """Every combination at the same positions of its own range; `score` of activation, optimizer, position."""
    made = []
    for activation, optimizer in itertools.product(("relu", "tanh", "gelu"), RATES):
        for point in range(points):
            position = (point + 0.5) / points
            c = Combination({"activation": activation, "optimizer": optimizer})
            params = {**c, "learning_rate": RATES[optimizer].at(position)}
            spec = TrialSpec(len(made), Stage.EXPLORE, c, params, Seeds(0, 0, 0), 10, point)
            value = float(score(activation, optimizer, position))
            made.append(TrialRecord(spec, TrialEnded.completed(spec, {"val_accuracy": value})))
    return made


def shares(records):
    found = importance(records, SPACE, ACCURACY, 0.1, seed=0)
    return found, {weight.name: weight for weight in found.weights}


def test_rate_decides_and_the_rest_is_within_chance():
    found, by_name = shares(trials(lambda a, o, p: 0.9 - (p - 0.6) ** 2 + 1e-6 * hash(o) % 7e-6))
    assert found.weights[0].name == "learning_rate"
    assert by_name["learning_rate"].share > 0.9 > 0.5 > by_name["learning_rate"].chance
    assert by_name["activation"].share < by_name["activation"].chance
    assert (found.top, found.trials) == (5, 48) or found.top > 5


def test_compared_parameter_decides():
    _, by_name = shares(trials(lambda a, o, p: 0.9 * (a == "gelu") + 0.01 * np.sin(40 * p)))
    assert by_name["activation"].share > by_name["activation"].chance
    assert by_name["activation"].share > by_name["optimizer"].share


def test_shares_sum_to_one_and_do_not_depend_on_the_order():
    records = trials(lambda a, o, p: 0.9 - (p - 0.6) ** 2 + 0.01 * (a == "tanh"))
    found, _ = shares(records)
    assert sum(weight.share for weight in found.weights) == pytest.approx(1.0)
    assert found == importance(records, SPACE, ACCURACY, 0.1, seed=0)


def test_too_little_says_nothing():
    assert importance(peaked("adam", 0.9), space("adam"), ACCURACY, 0.1, seed=0) is None
    alike = [r for name in ("a", "b", "c") for r in explored(name, {10.0 ** -(1 + i / 4): 0.5 for i in range(8)})]
    assert importance(alike, space("a", "b", "c"), ACCURACY, 0.1, seed=0) is None


def test_agrees_with_optuna():
    import optuna
    from optuna.distributions import CategoricalDistribution, FloatDistribution
    from optuna.importance import PedAnovaImportanceEvaluator

    rng = np.random.default_rng(0)
    n = 90
    rates, kinds = rng.random(n), rng.integers(0, 4, n)
    scores = 0.9 - (rates - 0.6) ** 2 + 0.02 * kinds + rng.normal(0, 0.02, n)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize")
    space = {"rate": FloatDistribution(0.0, 1.0), "kind": CategoricalDistribution(["a", "b", "c", "d"])}
    for rate, kind, score in zip(rates, kinds, scores, strict=True):
        params = {"rate": float(rate), "kind": "abcd"[kind]}
        study.add_trial(optuna.create_trial(params=params, distributions=space, value=float(score)))
    theirs = PedAnovaImportanceEvaluator().evaluate(study)
    top = best_trials(scores)
    cells = np.clip(np.ceil(rates * 49 - 0.5), 0, 49).astype(int)
    columns = [Column("rate", cells, 50, numeric=True), Column("kind", kinds, 4, numeric=False)]
    ours = {column.name: divergence(column, top) * (top.sum() / n) ** 2 for column in columns}
    assert ours == pytest.approx(theirs, rel=1e-6)

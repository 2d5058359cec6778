import itertools
import math

import numpy as np
import pytest
from scipy import stats

from sweeper.stats.effects import Estimates, chi_squared_tail, factors, interplay
from sweeper.trial import Combination

COMPARE = ("activation", "optimizer")
ROWS, COLUMNS = ("relu", "tanh", "gelu"), ("sgd", "adam", "lion", "rmsprop")
TABLE = tuple(Combination({"activation": a, "optimizer": o}) for a, o in itertools.product(ROWS, COLUMNS))


def estimates(score, sd=0.002, table=TABLE):
    return Estimates(table, np.array([score(c) for c in table]), np.full(len(table), sd))


def additive(c):
    return 0.9 + {"relu": 0.0, "tanh": 0.01, "gelu": 0.02}[c["activation"]] + 0.03 * (c["optimizer"] == "adam")


def test_effects_are_means_less_the_mean_of_all():
    activation, optimizer = factors(estimates(additive), COMPARE)
    assert [level.value for level in activation.levels] == ["gelu", "tanh", "relu"]
    assert [level.effect for level in activation.levels] == pytest.approx([0.01, 0.0, -0.01])
    assert activation.spread == pytest.approx(0.02)
    assert optimizer.levels[0].value == "adam"
    assert optimizer.levels[0].effect == pytest.approx(0.03 - 0.03 / 4)
    assert optimizer.levels[0].combinations == 3
    # the mean of four cells, less that of all twelve
    assert activation.levels[0].sd == pytest.approx(0.002 * math.sqrt(1 / 4 - 1 / 12))


def test_hole_in_the_table_moves_no_effect():
    holes = tuple(c for c in TABLE if c != Combination({"activation": "gelu", "optimizer": "adam"}))
    whole, part = factors(estimates(additive), COMPARE), factors(estimates(additive, table=holes), COMPARE)
    for one, other in zip(whole, part, strict=True):
        assert one.levels[0].value == other.levels[0].value
        assert one.levels[0].effect == pytest.approx(other.levels[0].effect)


def test_additive_table_leaves_no_rest():
    found = interplay(estimates(additive), COMPARE)
    assert max(map(abs, found.rests.values())) < 1e-12
    assert found.marked == ()
    assert found.chance == pytest.approx(1.0)


def test_odd_cell_is_marked_and_no_other():
    odd = TABLE[5]
    found = interplay(estimates(lambda c: additive(c) + 0.012 * (c == odd)), COMPARE)
    assert found.marked == (odd,)
    assert found.rests[odd] == pytest.approx(0.012 * (1 - 1 / 3) * (1 - 1 / 4))
    assert found.chance < 0.05


def test_large_effect_matters_and_a_small_one_has_a_bound():
    sure, _ = factors(estimates(additive, sd=0.001), COMPARE)
    lost, _ = factors(estimates(additive, sd=0.05), COMPARE)
    assert sure.chance < 1e-6 < 0.5 < lost.chance
    assert 0.02 < sure.at_most < 0.025 < lost.at_most


def test_chance_is_what_chance_gives():
    rng = np.random.default_rng(1)
    hits = np.zeros(4)
    for _ in range(400):
        noisy = Estimates(TABLE, rng.normal(0.9, 0.01, len(TABLE)), np.full(len(TABLE), 0.01))
        found = interplay(noisy, COMPARE)
        hits += [*(factor.chance < 0.05 for factor in factors(noisy, COMPARE)), found.chance < 0.05, bool(found.marked)]
    shares = hits / 400
    assert all(0.02 < share < 0.09 for share in shares[:3])  # 5 % and three standard errors
    assert shares[3] < 0.05


def test_bound_holds():
    rng = np.random.default_rng(2)
    truth = np.array([additive(c) for c in TABLE])
    holds = 0
    for _ in range(200):
        activation, _ = factors(Estimates(TABLE, truth + rng.normal(0, 0.01, 12), np.full(12, 0.01)), COMPARE)
        holds += activation.at_most >= 0.02
    assert holds >= 186  # 95 %, less two standard errors


def test_scores_without_doubt_have_no_chance():
    factor, _ = factors(estimates(additive, sd=0.0), COMPARE)
    assert factor.chance is None
    assert factor.at_most == pytest.approx(factor.spread)
    assert interplay(estimates(additive, sd=0.0), COMPARE).chance is None


@pytest.mark.parametrize("compare", [("optimizer",), (*COMPARE, "dropout")])
def test_interplay_is_of_two_parameters(compare):
    table = tuple(Combination({name: c.get(name, 0.1) for name in compare}) for c in TABLE)
    assert interplay(estimates(lambda c: 0.9, table=tuple(dict.fromkeys(table))), compare) is None


def test_single_value_is_no_factor():
    row = TABLE[:4]
    assert [factor.name for factor in factors(estimates(additive, table=row), COMPARE)] == ["optimizer"]
    assert interplay(estimates(additive, table=row), COMPARE) is None


@pytest.mark.parametrize("freedom", [1, 2, 3, 8, 41, 390])
@pytest.mark.parametrize("value", [0.01, 1.0, 7.5, 60.0, 420.0])
def test_chi_squared(value, freedom):
    assert chi_squared_tail(value, freedom) == pytest.approx(stats.chi2.sf(value, freedom), rel=1e-9, abs=1e-300)

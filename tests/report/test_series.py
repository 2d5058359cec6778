import numpy as np
import pytest
from synthetic import MAE, World, material

from sweeper.report import series
from sweeper.trial import Stage


def test_rates_hold_every_trial_once():
    made = material()
    found = series.rates(made)
    assert sum(len(r.scores) + len(r.diverged) for r in found.values()) == len(made.screening())
    assert all((np.diff(r.rates) >= 0).all() for r in found.values())


@pytest.mark.parametrize("world", [World(points=300, seeds=2), World(**{**vars(MAE), "points": 300, "seeds": 2})])
def test_thinning_keeps_the_best_and_counts_what_it_leaves_out(world):
    made = material(world)
    found = series.rates(made)
    assert sum(len(r.scores) for r in found.values()) <= series.MAX_POINTS
    for explored in made.verdict.explored:
        points = found[explored.combination]
        assert explored.best in points.scores
        assert points.left_out == explored.trials - explored.diverged - len(points.scores) > 0


def test_curves_are_padded_where_training_ended_early():
    table = series.padded([(1.0, 2.0, 3.0), (4.0, float("inf"))])
    assert np.isnan(table[1, 1:]).all()
    assert series.mean_curve(table).tolist() == [2.5, 2.0, 3.0]


def test_mean_curve_ends_where_most_trainings_have_ended():
    mean = series.mean_curve(series.padded([(1.0, 1.0), (1.0,), (1.0,)]))
    assert mean[0] == 1.0
    assert np.isnan(mean[1])


def test_curves_of_a_combination_are_its_confirmation_seeds():
    made = material()
    best = made.finalists()[0]
    assert series.curves(made, best.combination, frozenset([Stage.CONFIRM])).shape == (best.seeds, 30)


def test_epochs_shown_hold_both_ends():
    shown = series.epochs_shown(10_000)
    assert (shown[0], shown[-1]) == (0, 9_999)
    assert len(shown) <= series.MAX_EPOCHS


def test_focus_leaves_out_what_is_far_worse():
    low, high = series.focus([0.95, 0.96, 0.97, 0.1], 1)
    assert 0.1 < low < 0.95
    assert high > 0.97


def test_focus_where_less_is_better():
    low, high = series.focus([40.0, 41.0, 42.0, 1e9], -1)
    assert low < 40.0
    assert 42.0 < high < 1e9


def test_focus_keeps_what_it_must_and_stands_nothing():
    assert series.focus([0.95, 0.96, 0.97], 1, keep=[0.2])[0] < 0.2
    assert series.focus([], 1) == (0.0, 1.0)
    low, high = series.focus([0.5], 1)
    assert low < 0.5 < high


def test_swarm_keeps_dots_apart():
    positions = [10.0] * 5 + [12.0] * 3 + [40.0]
    offsets = series.swarm(positions, 5.0, reach=100.0)
    places = list(zip(positions, offsets, strict=True))
    for i, (x, y) in enumerate(places):
        assert all(abs(x - x2) >= 5 or abs(y - y2) >= 5 for x2, y2 in places[i + 1 :])
    assert offsets[-1] == 0.0


def test_swarm_squeezes_a_crowd():
    assert max(abs(y) for y in series.swarm([1.0] * 40, 5.0, reach=17.0)) <= 17.0

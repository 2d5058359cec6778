import numpy as np
import pytest

from sweeper.stats.surface import Samples, fit_surface

GRID = np.linspace(0, 1, 101)[:, None]


def parabola(at, peak, top=0.9, fall=1.0):
    return top - fall * (np.asarray(at) - peak) ** 2


def samples(peaks, *, points=8, sd=0.0, seed=0):
    rng = np.random.default_rng(seed)
    at = (np.arange(points) + 0.5)[:, None] / points
    return [Samples(at, parabola(at[:, 0], peak) + sd * rng.standard_normal(points)) for peak in peaks]


def test_finds_the_peaks_between_the_points():
    surface = fit_surface(samples([0.3, 0.52, 0.8]), scale=0.0)
    for index, peak in enumerate([0.3, 0.52, 0.8]):
        mean, sd = surface.predict(index, GRID)
        assert GRID[np.argmax(mean), 0] == pytest.approx(peak, abs=0.03)
        assert mean.max() == pytest.approx(0.9, abs=0.005)
        assert sd.max() < 0.1


def test_tells_noise_from_shape():
    quiet, loud = (fit_surface(samples([0.3, 0.5, 0.7] * 4, sd=sd), scale=0.0) for sd in (0.002, 0.05))
    assert quiet.noise_sd < 0.01
    assert loud.noise_sd == pytest.approx(0.05, rel=0.35)


def test_is_less_sure_where_nothing_was_tried():
    entry = samples([0.5], sd=0.01)[0]
    half = Samples(entry.at[:4], entry.scores[:4])
    _, sd = fit_surface([entry, half], scale=0.0).predict(1, np.array([[0.25], [0.95]]))
    assert sd[0] < sd[1]


def test_a_run_that_diverged_pulls_the_curve_down_but_not_apart():
    entry = samples([0.5], sd=0.005)[0]
    scores = entry.scores.copy()
    scores[6:] = -np.inf
    surface = fit_surface([entry, Samples(entry.at, scores)], scale=0.1)
    mean, _ = surface.predict(1, GRID)
    assert GRID[np.argmax(mean), 0] < 0.6
    assert mean.max() == pytest.approx(0.9, abs=0.03)
    assert np.isfinite(mean).all()


def test_a_crash_of_80_points_is_not_taken_for_noise():
    calm, crash = samples([0.5] * 4, sd=0.005), samples([0.5] * 4, sd=0.005)
    for entry in crash:
        entry.scores[6:] = 0.1
    noise = [fit_surface(each, scale=0.06).noise_sd for each in (calm, crash)]
    assert noise[1] < 5 * noise[0]


def test_equal_scores_are_certain():
    flat = [Samples(entry.at, np.full(8, 0.7)) for entry in samples([0.5, 0.5])]
    mean, sd = fit_surface(flat, scale=0.06).predict(0, GRID)
    assert mean == pytest.approx(np.full(101, 0.7))
    assert sd.tolist() == [0.0] * 101


def test_one_point_each_is_its_own_estimate():
    single = [Samples(np.array([[0.3]]), np.array([score])) for score in (0.5, 0.7)]
    mean, sd = fit_surface(single, scale=0.06).predict(1, np.array([[0.3], [0.9]]))
    assert mean == pytest.approx([0.7, 0.7])
    assert np.isfinite(sd).all()


def test_one_finite_score_among_divergence():
    mean, _ = fit_surface([Samples(GRID[:3], np.array([0.6, -np.inf, -np.inf]))], scale=0.06).predict(0, GRID[:1])
    assert mean[0] <= 0.6


def test_nothing_tuned_is_the_mean():
    entries = [Samples(np.zeros((4, 0)), np.array([0.5, 0.6, 0.7, 0.6])), Samples(np.zeros((1, 0)), np.array([0.2]))]
    surface = fit_surface(entries, scale=0.0)
    assert surface.predict(0, np.zeros((1, 0)))[0] == pytest.approx([0.6], abs=0.01)
    assert surface.predict(1, np.zeros((1, 0)))[0] == pytest.approx([0.2])


def test_many_points_are_averaged_over_neighbourhoods():
    rng = np.random.default_rng(0)
    at = rng.random((3000, 1))
    entry = Samples(at, parabola(at[:, 0], 0.4) + 0.05 * rng.standard_normal(3000))
    mean, sd = fit_surface([entry], scale=0.06).predict(0, GRID)
    assert GRID[np.argmax(mean), 0] == pytest.approx(0.4, abs=0.08)
    assert mean.max() == pytest.approx(0.9, abs=0.01)
    assert sd[50] < 0.02


@pytest.mark.parametrize("axes", [2, 3, 4])
def test_finds_the_peak_in_several_dimensions(axes):
    rng = np.random.default_rng(axes)
    at, peak = rng.random((40, axes)), np.full(axes, 0.4)
    entries = [Samples(at, parabola(at[:, 0], 0.4, fall=2) + 0.005 * rng.standard_normal(40)) for _ in range(3)]
    surface = fit_surface(entries, scale=0.06)
    asked = np.vstack([peak, rng.random((300, axes))])
    mean, _ = surface.predict(0, asked)
    assert asked[np.argmax(mean), 0] == pytest.approx(0.4, abs=0.12)
    assert min(surface.lengths[1:]) > 2 * surface.lengths[0]


def test_nothing_is_gained_where_the_curve_is_known():
    surface = fit_surface(samples([0.3, 0.5, 0.7]), scale=0.0)
    mean, _ = surface.predict(1, GRID)
    top = int(np.argmax(mean))
    assert surface.shortfall(1, GRID, top, np.random.default_rng(0)) < 0.005
    assert surface.shortfall(1, GRID, 10, np.random.default_rng(0)) == pytest.approx(mean[top] - mean[10], rel=0.1)


def test_curves_that_are_all_flat_promise_nothing():
    flat = [Samples(GRID[::20], np.full(6, 0.5))]
    assert fit_surface(flat, scale=0.0).shortfall(0, GRID, 3, np.random.default_rng(0)) == 0.0


@pytest.mark.parametrize("points", [8, 16])
def test_half_of_the_expected_shortfall_is_not_less_than_what_is_lost(points):
    """Sixty noisy curves: what their tops lose to the best setting, against what the posterior expects."""
    rng = np.random.default_rng(points)
    peaks = rng.uniform(0.2, 0.8, 60)
    surface = fit_surface(samples(peaks, points=points, sd=0.01, seed=points), scale=0.06)
    expected, lost = [], []
    for index, peak in enumerate(peaks):
        top = int(np.argmax(surface.predict(index, GRID)[0]))
        expected.append(surface.shortfall(index, GRID, top, rng))
        lost.append(0.9 - parabola(GRID[top, 0], peak))
    assert np.mean(lost) - 4 * np.std(lost) / 60**0.5 < np.mean(expected) / 2 < 10 * np.mean(lost)

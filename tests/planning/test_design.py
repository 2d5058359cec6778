import numpy as np
import optuna
import pytest

from sweeper.planning.design import BalancedDesign, confirmation_seeds, exploration_seeds, positions
from sweeper.planning.optuna_sampler import BalancedSampler
from sweeper.resolve import space
from sweeper.study_file import load

SPACE = space(load({"name": "x", "data": {"name": "digits"}}).config)


def rates(design):
    found = {}
    for index in range(len(design)):
        spec = design.draft(index)
        found.setdefault(spec.combination, []).append(spec.params["learning_rate"])
    return found


def test_every_combination_gets_the_same_positions_of_its_own_range():
    found = rates(BalancedDesign(SPACE, 8, seed=0, epochs=1))
    assert len(found) == 9
    positions = {
        combination: np.round([SPACE.tuned(combination)["learning_rate"].position(r) for r in values], 9).tolist()
        for combination, values in found.items()
    }
    first, *others = positions.values()
    assert len(first) == 8
    assert all(other == first for other in others)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("points", [4, 8, 16])
def test_a_single_axis_has_no_gaps(points, seed):
    coordinates = np.sort(positions(1, points, seed)[:, 0])
    assert coordinates[0] >= 0.0
    assert coordinates[-1] < 1.0
    np.testing.assert_allclose(np.diff(coordinates), 1 / points)


def test_several_axes_each_have_one_point_in_every_cell():
    for axis in positions(2, 8, seed=3).T:
        assert {int(coordinate * 8) for coordinate in axis} == set(range(8))


@pytest.mark.parametrize("dimensions", [1, 2])
def test_more_points_keep_the_first_ones(dimensions):
    np.testing.assert_array_equal(positions(dimensions, 16, seed=1)[:6], positions(dimensions, 6, seed=1))


@pytest.mark.parametrize("dimensions", [1, 2])
def test_another_seed_gives_other_points(dimensions):
    assert not np.allclose(positions(dimensions, 8, seed=0), positions(dimensions, 8, seed=1))


def test_nothing_tuned_has_points_without_coordinates():
    assert positions(0, 3, seed=0).shape == (3, 0)


def test_exploration_shares_one_split_and_differs_in_weights_by_point():
    first, second = exploration_seeds(7, 0), exploration_seeds(7, 1)
    assert first.split == second.split
    assert first.init != second.init
    assert first.shuffle != second.shuffle


def test_confirmation_splits_are_fresh():
    splits = {confirmation_seeds(7, repetition).split for repetition in range(40)}
    assert len(splits) == 40
    assert exploration_seeds(7, 0).split not in splits


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_the_optuna_sampler_draws_by_trial_number_alone():
    design = BalancedDesign(SPACE, 8, seed=5, epochs=1)
    listed = {name: sorted({c[name] for c in SPACE.combinations()}) for name in SPACE.compare}

    def draw(study):
        trial = study.ask()
        drawn = {name: trial.suggest_categorical(name, values) for name, values in listed.items()}
        drawn["learning_rate"] = trial.suggest_float("learning_rate", 1e-5, 10, log=True)
        return trial.number, drawn

    storage = optuna.storages.InMemoryStorage()
    for _ in range(3):  # a fresh sampler each time, as after a kill
        sampler = BalancedSampler(SPACE, points=8, seed=5)
        study = optuna.create_study(storage=storage, study_name="s", sampler=sampler, load_if_exists=True)
        for number, drawn in (draw(study) for _ in range(10)):
            expected = design.draft(number).params
            assert drawn == {name: expected[name] for name in drawn}

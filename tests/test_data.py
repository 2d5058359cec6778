import subprocess
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest

from sweeper.data import DataInfo, Dataset, Part, Task


@dataclass(frozen=True)
class Mean:
    """Learns the mean of the rows it is fitted on, and shows it."""

    value: float = 0.0

    def fit(self, x_train):
        return Mean(float(x_train.mean()))

    def __call__(self, x):
        return (x - self.value).astype(np.float32)

    def to_dict(self):
        return {"mean": self.value}


def classes(n=300, seed=0, **changes):
    rng = np.random.default_rng(seed)
    y = rng.choice(3, size=n, p=[0.6, 0.3, 0.1]).astype(np.int32)
    x = np.column_stack([np.arange(n), rng.normal(size=n)])
    return Dataset(x, y, DataInfo.of((2,), classes=3), **changes)


def numbers(n=200, seed=0, **changes):
    rng = np.random.default_rng(seed)
    return Dataset(
        np.column_stack([np.arange(n), rng.normal(size=n)]),
        rng.normal(50.0, 10.0, size=n),
        DataInfo.of((2,), classes=None),
        **changes,
    )


def ids(part):
    return part.x[:, 0].astype(int).tolist()


@pytest.mark.parametrize("make", [classes, numbers])
def test_every_row_is_in_exactly_one_part(make):
    split = make().split(3)
    together = ids(split.train) + ids(split.validation) + ids(split.open_test())
    assert sorted(together) == list(range(len(make())))


@pytest.mark.parametrize("make", [classes, numbers])
def test_the_test_rows_are_the_same_for_every_seed_and_the_validation_rows_are_not(make):
    splits = [make().split(seed) for seed in range(5)]
    assert len({tuple(ids(split.open_test())) for split in splits}) == 1
    assert len({tuple(ids(split.validation)) for split in splits}) == 5


def test_the_seed_of_the_data_set_decides_the_test_rows():
    data = classes()
    one, two = (data.divided(validation=0.2, test=0.2, seed=seed).split(0) for seed in (0, 1))
    assert ids(one.open_test()) != ids(two.open_test())


def test_shares_are_of_all_rows_and_of_every_class():
    data = classes(1000).divided(validation=0.3, test=0.1, seed=0)
    split = data.split(0)
    assert data.sizes() == {"train": len(split.train), "validation": len(split.validation), "test": 100}
    assert len(split.validation) == pytest.approx(300, abs=2)
    for part in (split.train, split.validation, split.open_test()):
        shares = np.bincount(part.y) / len(part)
        assert shares == pytest.approx(np.bincount(data.y) / 1000, abs=0.01)


def test_three_rows_of_a_class_give_one_to_each_part():
    y = np.repeat([0, 1], [100, 3]).astype(np.int32)
    data = Dataset(np.zeros((103, 2)), y, DataInfo.of((2,), classes=2))
    for validation, test in ((0.2, 0.2), (0.05, 0.05), (0.45, 0.45)):
        for seed in range(5):
            split = data.divided(validation=validation, test=test, seed=seed).split(seed)
            assert [int((p.y == 1).sum()) for p in (split.train, split.validation, split.open_test())] == [1, 1, 1]


def test_without_a_test_share_nothing_is_set_aside():
    data = classes().divided(validation=0.2, test=0.0, seed=0)
    assert data.sizes()["test"] == 0
    assert len(data.split(0).open_test()) == 0


def test_a_fixed_test_part_leaves_every_row_for_training_and_validation():
    fixed = Part(np.full((7, 2), -1.0), np.zeros(7, dtype=np.int32))
    data = classes(test=fixed)
    split = data.split(0)
    assert len(split.train) + len(split.validation) == 300
    assert ids(split.open_test()) == [-1] * 7
    assert data.sizes()["test"] == 7


@pytest.mark.parametrize("seed", range(5))
def test_groups_are_never_divided(seed):
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 40, size=300)
    split = classes(groups=groups, seed=seed).split(seed)
    parts = [set(groups[ids(part)]) for part in (split.train, split.validation, split.open_test())]
    assert sum(map(len, parts)) == len(set().union(*parts)) == len(set(groups))


@pytest.mark.parametrize("make", [classes, numbers])
def test_what_is_fitted_is_fitted_on_training_rows(make):
    data = make(preprocessing=Mean())
    raw = replace(data, preprocessing=None)
    split = data.split(4)
    assert split.preprocessing == Mean(float(raw.split(4).train.x.mean()))
    assert split.open_test().x == pytest.approx(raw.split(4).open_test().x - split.preprocessing.value)


@pytest.mark.parametrize("seed", range(5))
def test_rows_outside_the_training_part_do_not_touch_what_is_fitted(seed):
    data = numbers(preprocessing=Mean())
    before = data.split(seed)
    outside = np.setdiff1d(np.arange(200), ids(replace(data, preprocessing=None).split(seed).train))
    x, y = data.x.copy(), data.y.copy()
    x[outside], y[outside] = 1e6, -1e6
    after = replace(data, x=x, y=y).split(seed)
    assert after.preprocessing == before.preprocessing
    assert (after.target_mean, after.target_sd) == (before.target_mean, before.target_sd)
    assert np.array_equal(after.train.x, before.train.x)
    assert np.array_equal(after.train.y, before.train.y)


def test_regression_targets_are_standardised_on_training_rows_in_every_part():
    data = numbers()
    split = data.split(0)
    raw = data.y[ids(split.train)]
    assert (split.target_mean, split.target_sd) == pytest.approx((raw.mean(), raw.std()))
    assert split.train.y.mean() == pytest.approx(0, abs=1e-6)
    assert split.train.y.std() == pytest.approx(1, abs=1e-6)
    test = split.open_test()
    assert test.y * split.target_sd + split.target_mean == pytest.approx(data.y[ids(test)], rel=1e-5)


def test_a_constant_regression_target_gives_no_nan():
    split = replace(numbers(), y=np.full(200, 7.0)).split(0)
    assert np.all(split.train.y == 0)


def test_class_ids_are_left_alone():
    split = classes().split(0)
    assert (split.target_mean, split.target_sd) == (0.0, 1.0)
    assert split.train.y.dtype == np.int32


CHANGES = {
    "value": lambda d: replace(d, x=np.where(d.x == 5, 5.5, d.x)),
    "target": lambda d: replace(d, y=d.y[::-1]),
    "type": lambda d: replace(d, x=d.x.astype(np.float32)),
    "shape": lambda d: replace(d, x=d.x.reshape(-1, 2, 1)),
    "share": lambda d: d.divided(validation=0.2, test=0.3, seed=0),
    "info": lambda d: replace(d, info=DataInfo.of((2,), classes=3, class_names=("a", "b", "c"))),
    "test": lambda d: replace(d, test=Part(d.x, d.y)),
    "groups": lambda d: replace(d, groups=d.y),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_fingerprint_sees_a_change_of(change):
    assert CHANGES[change](classes()).fingerprint != classes().fingerprint


def test_the_fingerprint_does_not_depend_on_the_process_or_the_memory_layout():
    data = classes(20)
    code = (
        "import numpy as np; from sweeper.data import *;"
        "y = np.arange(20, dtype=np.int32) % 3; x = np.arange(40.0).reshape(20, 2);"
        "print(Dataset(x, y, DataInfo.of((2,), classes=3)).fingerprint)"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    x, y = np.asfortranarray(np.arange(40.0).reshape(20, 2)), np.arange(20, dtype=np.int32) % 3
    assert replace(data, x=x, y=y).fingerprint == other


def test_no_information_names_the_largest_class():
    floor = classes().no_information()
    assert floor["accuracy"] == pytest.approx(np.mean(classes().y == 0))
    assert floor["loss"] == pytest.approx(np.log(3))
    assert floor["top_5_accuracy"] == 1.0


def test_no_information_of_a_regression_is_the_mean_as_prediction():
    data = numbers()
    floor = data.no_information()
    assert floor["rmse"] == pytest.approx(data.y.std())
    assert floor["mse"] == pytest.approx(data.y.var())
    assert floor["mae"] == pytest.approx(np.abs(data.y - data.y.mean()).mean())
    assert (floor["r2"], floor["loss"]) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("count", "task", "units", "activation"),
    [
        (2, Task.BINARY, 1, "sigmoid"),
        (3, Task.MULTICLASS, 3, "softmax"),
        (None, Task.REGRESSION, 1, "linear"),
    ],
)
def test_the_last_layer_follows_from_the_task(count, task, units, activation):
    info = DataInfo.of((4,), classes=count)
    assert (info.task, info.output_units, info.output_activation) == (task, units, activation)

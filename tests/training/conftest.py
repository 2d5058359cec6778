"""Small data and specs for the tests that train."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits

from sweeper.data import DataInfo, Dataset
from sweeper.trial import Cohort, Combination, EpochEnded, Seeds, Signal, Stage, TrialSpec


def make_spec(number=0, *, stage=Stage.EXPLORE, epochs=3, seeds=None, **params):
    """A trial with relu, adam and 0.01 where nothing else is said; its three seeds are its number."""
    params = {"activation": "relu", "optimizer": "adam", "learning_rate": 0.01, **params}
    pair = Combination({name: params[name] for name in ("activation", "optimizer")})
    return TrialSpec(number, stage, pair, params, seeds or Seeds(number, number, number), epochs)


class Recorder:
    """A report function that remembers, and answers STOP from a given epoch on."""

    def __init__(self, stop_from=None):
        self.events = []
        self.stop_from = stop_from

    def __call__(self, event):
        self.events.append(event)
        late = self.stop_from is not None and isinstance(event, EpochEnded) and event.epoch >= self.stop_from
        return Signal.STOP if late else Signal.CONTINUE

    def curve(self, number):
        """The metrics of each epoch of a trial."""
        return [dict(e.metrics) for e in self.events if isinstance(e, EpochEnded) and e.number == number]


@pytest.fixture(scope="session")
def digits():
    x, y = load_digits(return_X_y=True)
    return Dataset((x[:300] / 16).astype(np.float32), y[:300], DataInfo.of((64,), classes=10))


@pytest.fixture(scope="session")
def pictures(digits):
    return Dataset(digits.x.reshape(-1, 8, 8, 1), digits.y, DataInfo.of((8, 8, 1), classes=10))


@pytest.fixture(scope="session")
def odd_or_even(digits):
    return Dataset(digits.x, digits.y % 2, DataInfo.of((64,), classes=2))


@pytest.fixture(scope="session")
def diabetes():
    x, y = load_diabetes(return_X_y=True)
    return Dataset((x * 20).astype(np.float32), y, DataInfo.of((10,), classes=None))


@pytest.fixture
def spec():
    return make_spec


@pytest.fixture
def recorder():
    return Recorder


@pytest.fixture
def curves():
    """Train specs with a trainer and give the curve of each."""

    def train(trainer, data, *specs):
        record = Recorder()
        ends = trainer(Cohort(specs), data, record)
        assert not any(end.status.is_failure for end in ends), [end.reason for end in ends]
        return [record.curve(one.number) for one in specs]

    return train

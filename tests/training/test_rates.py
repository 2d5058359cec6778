import keras
import pytest

from sweeper.errors import ModelError
from sweeper.training.rates import Rate, optimizer_for
from sweeper.vocabulary import OPTIMIZERS, optimizer_arguments

pytestmark = pytest.mark.slow


def _at(rate, *steps):
    return [float(rate(step)) for step in steps]


def test_a_cosine_is_that_of_keras():
    rate = Rate("cosine")
    rate.set(0.3, 40)
    expected = keras.optimizers.schedules.CosineDecay(0.3, 40)
    assert _at(rate, 0, 1, 17, 39, 40, 50) == pytest.approx([float(expected(s)) for s in (0, 1, 17, 39, 40, 50)])


def test_a_line_ends_at_zero():
    rate = Rate("linear")
    rate.set(0.4, 8)
    assert _at(rate, 0, 2, 4, 8, 9) == pytest.approx([0.4, 0.3, 0.2, 0.0, 0.0])


def test_a_constant_stays():
    rate = Rate("constant")
    rate.set(0.4, 8)
    assert _at(rate, 0, 8, 100) == pytest.approx([0.4] * 3)


def test_an_unknown_schedule_is_answered_with_the_nearest_one():
    with pytest.raises(ModelError, match="did you mean 'cosine'"):
        Rate("cosin")


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_is_made_with_its_own_arguments_only(name):
    rate = Rate("constant")
    params = {"optimizer": name, "activation": "relu", "units": 3, "use_ema": True, "ema_momentum": 0.5}
    optimizer = optimizer_for(params, rate)
    assert type(optimizer).__name__ == OPTIMIZERS[name].keras_class
    assert optimizer.ema_momentum == 0.5
    rate.set(0.25, 1)
    assert float(optimizer.learning_rate) == 0.25
    for argument in optimizer_arguments(name):
        assert hasattr(optimizer, argument), argument

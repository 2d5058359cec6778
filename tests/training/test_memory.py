import functools

import pytest

from sweeper.catalog.models import resolve_model
from sweeper.setup import TrainerSetup
from sweeper.training.compiled import Programs
from sweeper.training.feed import Feeds
from sweeper.training.memory import MOST, activation_bytes, largest_stack
from sweeper.training.passes import Passes
from sweeper.training.stack import StackLoop

pytestmark = pytest.mark.slow


@pytest.fixture
def stacked(digits, spec):
    def make(**options):
        make_loop = functools.partial(StackLoop, passes=Passes())
        programs = Programs(TrainerSetup(model_options=options), resolve_model("mlp"), make_loop, pure=True)
        feed = Feeds().of(digits, 0)
        return programs.taken(spec(0), feed)[0], feed

    return make


def test_more_memory_takes_more_trials(stacked):
    program, feed = stacked(units=(512, 512))
    sizes = [largest_stack(program, feed, 2**power) for power in range(18, 34)]
    assert sizes == sorted(sizes)
    assert sizes[0] == 1
    assert 1 < sizes[8] < MOST == sizes[-1]
    assert largest_stack(program, feed, None) == MOST


def test_a_larger_model_leaves_room_for_fewer(stacked):
    small, large = (largest_stack(*stacked(units=units), 2**28) for units in ((256,), (2048, 2048)))
    assert large < small / 4


def test_activations_count_every_output_of_a_batch(stacked):
    program, feed = stacked(units=(100,))
    hidden = 32 * 100 * 4
    assert 2 * hidden <= activation_bytes(program, feed) < 12 * hidden

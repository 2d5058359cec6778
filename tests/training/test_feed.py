import itertools

import numpy as np

from sweeper.data import DataInfo, Part
from sweeper.training.feed import Feeds, blocks, model_rows, orders, steps_of


def test_every_epoch_has_every_row_once_in_another_order():
    first, second = itertools.islice(orders(50, seed=3), 2)
    assert sorted(first) == sorted(second) == list(range(50))
    assert not np.array_equal(first, second)


def test_the_order_depends_on_the_seed_alone():
    once, again, other = (next(orders(50, seed)) for seed in (3, 3, 4))
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)


def test_the_last_batch_counts_as_a_step():
    assert [steps_of(rows, 32) for rows in (31, 32, 33)] == [1, 1, 2]


def test_blocks_keep_the_order():
    part = Part(np.arange(10.0), np.arange(10))
    order = np.array([9, 1, 5, 0, 3])
    parts = list(blocks(part, order, 2))
    assert [len(y) for _, y in parts] == [2, 2, 1]
    assert np.concatenate([y for _, y in parts]).tolist() == order.tolist()
    assert np.concatenate([x for x, _ in parts]).tolist() == order.tolist()


def test_targets_get_the_shape_of_the_output():
    x = np.zeros((4, 2))
    for classes, shape, kind in ((2, (4, 1), np.float32), (3, (4,), np.int32), (None, (4, 1), np.float32)):
        rows = model_rows(Part(x, np.arange(4) % (classes or 4)), DataInfo.of((2,), classes=classes))
        assert (rows.y.shape, rows.y.dtype, rows.x.dtype) == (shape, kind, np.float32)


def test_token_ids_stay_whole_numbers():
    rows = model_rows(Part(np.ones((2, 3)), np.array([0, 1])), DataInfo.of((3,), classes=2, vocabulary=9))
    assert rows.x.dtype == np.int32


def test_a_split_is_prepared_once_for_trials_that_share_it(digits, odd_or_even):
    feeds = Feeds()
    assert feeds.of(digits, 1) is feeds.of(digits, 1)
    assert feeds.of(digits, 1) is not feeds.of(digits, 2)
    assert len(feeds.of(odd_or_even, 1).train.y.shape) == 2


def test_a_prepared_split_is_that_of_the_data(digits):
    feed, split = Feeds().of(digits, 7), digits.split(7)
    assert np.array_equal(feed.train.x, split.train.x)
    assert np.array_equal(feed.validation.y, split.validation.y)
    assert np.array_equal(feed.open_test().x, split.open_test().x)

"""Rows on their way into a model: types it takes, and an order of batches that a seed determines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sweeper.data import Array, DataInfo, Dataset, Part, Split, Task
from sweeper.seeds import generator

KEPT_SPLITS = 2
"""Trials of a cohort share a split, or have one each; more than two of a large data set would be but copies of it."""

KEPT_BYTES = 64 * 2**20
"""Of splits that are kept beyond those: the finalists of a confirmation use the same ones, one after the other."""

EVALUATION_BATCH = 256
"""Rows; large enough that a step costs more than its call."""


@dataclass(frozen=True)
class Feed:
    """One split, as a model takes it.

    Attributes:
        train, validation: `x` (n, *input_shape) and `y` as `model_rows` gives them.
        split: where they came from; holds the sealed test rows.
    """

    train: Part
    validation: Part
    info: DataInfo
    split: Split

    @property
    def size_bytes(self) -> int:
        """Of the rows that are trained on and validated with."""
        return sum(rows.nbytes for part in (self.train, self.validation) for rows in (part.x, part.y))

    def open_test(self) -> Part:
        """The sealed test rows. For the stages that are evidence, and for the model that is kept."""
        return model_rows(self.split.open_test(), self.info)


class Feeds:
    """The splits used last, so that trials of one split do not prepare it again."""

    def __init__(self) -> None:
        self._data: Dataset | None = None
        self._feeds: dict[int, Feed] = {}

    def of(self, data: Dataset, seed: int) -> Feed:
        """The split of `data` that `seed` determines."""
        if data is not self._data:
            self._data, self._feeds = data, {}
        feed = self._feeds.pop(seed, None)
        if feed is None:
            split = data.split(seed)
            feed = Feed(model_rows(split.train, data.info), model_rows(split.validation, data.info), data.info, split)
        self._feeds[seed] = feed
        for oldest in list(self._feeds)[:-KEPT_SPLITS]:
            if sum(kept.size_bytes for kept in self._feeds.values()) > KEPT_BYTES:
                del self._feeds[oldest]
        return feed


def model_rows(part: Part, info: DataInfo) -> Part:
    """The same rows in the types that TensorFlow computes with.

    Returns:
        `x` float32, or int32 token ids where there is a vocabulary; `y` (n,) int32 class ids for multiclass, else
        (n, 1) or (n, targets) float32, the shape of the model's output.
    """
    x = np.ascontiguousarray(part.x, dtype=np.float32 if info.vocabulary is None else np.int32)
    if info.task is Task.MULTICLASS:
        return Part(x, part.y.astype(np.int32, copy=False))
    return Part(x, part.y.astype(np.float32, copy=False).reshape(len(part.y), -1))


def orders(rows: int, seed: int) -> Iterator[NDArray[np.int32]]:
    """One permutation of the rows an epoch, without end; the stream depends on `seed` alone."""
    rng = generator(seed, "order")
    while True:
        yield rng.permutation(rows).astype(np.int32)


def steps_of(rows: int, batch_size: int) -> int:
    """Batches an epoch, the last one perhaps smaller."""
    return -(-rows // batch_size)


def blocks(part: Part, order: Array, size: int) -> Iterator[tuple[Array, Array]]:
    """The rows of `part` in `order`, up to `size` at a time."""
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        yield part.x[rows], part.y[rows]

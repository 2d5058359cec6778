"""A stack of trials on its way: who is in it, which rows each of them sees next, and the state of all."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from sweeper.data import Array, Part
from sweeper.training.feed import Feed, orders
from sweeper.training.metrics import Logs, classified_right
from sweeper.training.pure import State
from sweeper.training.stack import SizedLoop, StackLoop
from sweeper.trial import TrialSpec

LANES = 8
"""Numbers that a vector instruction takes at once (AVX2, for which TensorFlow's wheels are built). Elements that do not
fill a vector are computed by other instructions, whose last bit may differ: so stacks are padded to whole vectors."""


@dataclass
class Member:
    """A trial in a stack.

    Attributes:
        order: the rows of each epoch, from 0.
        due: those of the epoch at hand.
        seconds: its share of the time that the stack has taken.
    """

    spec: TrialSpec
    feed: Feed
    order: Iterator[Array]
    due: Array
    seconds: float = 0.0

    @classmethod
    def of(cls, spec: TrialSpec, feed: Feed) -> Member:
        """A trial before its first epoch."""
        order = orders(len(feed.train), spec.seeds.shuffle)
        return cls(spec, feed, order, next(order))


class Pile:
    """One part of several splits, one after the other, as tensors.

    Attributes:
        part: all rows of all splits.
    """

    def __init__(self, parts: Mapping[int, Part]) -> None:
        self._starts, self._length = {}, 0
        for key, part in parts.items():
            self._starts[key] = self._length
            self._length += len(part)
        x, y = (np.concatenate(arrays) for arrays in zip(*((p.x, p.y) for p in parts.values()), strict=True))
        self.part = Part(tf.constant(x), tf.constant(y))
        self._sizes = {key: len(part) for key, part in parts.items()}

    def rows(self, key: int, order: Array | None = None) -> Array:
        """(n,) where the rows of a split are, in `order` or as they come."""
        chosen = np.arange(self._sizes[key], dtype=np.int32) if order is None else order
        return np.asarray(chosen + np.int32(self._starts[key]))


class Running:
    """Trials that are trained together.

    Args:
        members: one for each slot of the state, None where a slot holds a copy or a trial that has ended.

    Attributes:
        epoch: how many are over.
    """

    def __init__(
        self, loop: StackLoop, piles: tuple[Pile, Pile], members: Sequence[Member | None], state: State, epoch: int
    ) -> None:
        self._loop, self._piles = loop, piles
        self._slots, self.state, self.epoch = list(members), state, epoch
        self._clock = time.perf_counter()

    @classmethod
    def begun(cls, loop: StackLoop, members: Sequence[Member], size: int) -> Running:
        """The members before their first epoch, in a stack of this size."""
        splits = {member.spec.seeds.split: member.feed for member in members}
        piles = (
            Pile({key: feed.train for key, feed in splits.items()}),
            Pile({key: feed.validation for key, feed in splits.items()}),
        )
        padded = [*members, *[members[0]] * (size - len(members))]
        state = loop.start([member.spec.seeds.init for member in padded])
        return cls(loop, piles, [*members, *[None] * (size - len(members))], state, 0)

    @property
    def live(self) -> list[tuple[int, Member]]:
        """Slot and trial of those that go on."""
        return [(slot, member) for slot, member in enumerate(self._slots) if member is not None]

    @property
    def size(self) -> int:
        """Slots, copies included."""
        return len(self._slots)

    def advance(self, steps: int) -> list[tuple[int, Member, Logs, bool]]:
        """One epoch more: slot, trial, metrics, and whether its weights are finite, of every live trial.

        Args:
            steps: of a whole training.

        Raises:
            tf.errors.ResourceExhaustedError: there was not enough memory; nothing has changed.
        """
        train, validation = self._piles
        order = self._rows(train, [member.due for _, member in self.live])
        rates = [member.spec.params["learning_rate"] for _, member in self.live]
        rate = (self._filled(np.array(rates, np.float32)), np.full(self.size, steps, np.float32))
        state, tallies = self._functions.epoch(train.part, order, self.state, rate)
        told = self._functions.told(validation.part, self._rows(validation), state, tallies)
        trained, validated, finite, state = told
        self.state, self.epoch = state, self.epoch + 1
        self.took_time()
        result = []
        for slot, member in self.live:
            member.due = next(member.order)
            logs = {**trained[slot], **{f"val_{name}": value for name, value in validated[slot].items()}}
            result.append((slot, member, logs, bool(finite[slot])))
        return result

    def measured(self, pile: Pile | None = None) -> dict[int, Logs]:
        """Slot -> metrics of the live trials as they are now, on the rows of `pile` or on the validation rows."""
        chosen = self._piles[1] if pile is None else pile
        _, logs, _, _ = self._functions.told(chosen.part, self._rows(chosen), self.state)
        return {slot: logs[slot] for slot, _ in self.live}

    def classified(self, pile: Pile) -> dict[int, NDArray[np.bool_]]:
        """Slot -> (rows,) which rows of its part each live trial classifies correctly."""
        rows = self._rows(pile)
        predicted = self._functions.predicted(pile.part, rows, self.state)
        y, task = np.asarray(pile.part.y), self.live[0][1].feed.info.task
        return {slot: classified_right(y[rows[slot]], predicted[slot], task) for slot, _ in self.live}

    def finish(self) -> None:
        """Let the optimizer put its averages in the place of the weights."""
        self.state = self._functions.finished(self.state)

    def leave(self, slot: int) -> None:
        """A trial has ended."""
        self._slots[slot] = None

    def narrowed(self, size: int) -> Running:
        """The live trials in a smaller stack."""
        return self._chosen(self.live, size)

    def halves(self) -> Iterator[Running]:
        """The live trials in two stacks of half the size, or in one where that suffices."""
        live, size = self.live, max(1, self.size // 2)
        yield from (self._chosen(live[start : start + size], size) for start in range(0, len(live), size))

    def values(self, slot: int) -> list[Array]:
        """Of the variables of the model of one trial."""
        return [value[slot].numpy() for value in self._loop.pure.model_values(self.state)]

    def took_time(self) -> None:
        """Share the time since this was last called among the live trials."""
        now = time.perf_counter()
        for _, member in self.live:
            member.seconds += (now - self._clock) / len(self.live)
        self._clock = now

    @property
    def _functions(self) -> SizedLoop:
        _, member = self.live[0]
        return self._loop.of(self.size, member.feed.train)

    def _chosen(self, members: Iterable[tuple[int, Member]], size: int) -> Running:
        slots, chosen = zip(*members, strict=True)
        taken = tf.constant([*slots, *[slots[0]] * (size - len(slots))])
        state = tf.nest.map_structure(lambda value: tf.gather(value, taken), self.state)
        return Running(self._loop, self._piles, [*chosen, *[None] * (size - len(chosen))], state, self.epoch)

    def _rows(self, pile: Pile, orders: Sequence[Array | None] | None = None) -> Array:
        """(slots, n) rows of every trial; copies and trials that have ended see those of the first live one."""
        orders = [None] * len(self.live) if orders is None else orders
        rows = [pile.rows(member.spec.seeds.split, order) for (_, member), order in zip(self.live, orders, strict=True)]
        return self._filled(np.stack(rows))

    def _filled(self, values: Array) -> Array:
        """(slots, ...) the values of the live trials in their slots, those of the first elsewhere."""
        result = np.repeat(values[:1], self.size, axis=0)
        result[[slot for slot, _ in self.live]] = values
        return result

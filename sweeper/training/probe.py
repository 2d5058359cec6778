"""A short try of each way to train: do they give the same numbers, and which is done first?

The programs that a try compiles are those that the study goes on with. What it found is remembered by `key`, so that
the next study of the same model on the same machine does not try again.
"""

from __future__ import annotations

import hashlib
import platform
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from sweeper.data import Part
from sweeper.training.feed import Feed, steps_of
from sweeper.training.metrics import Logs
from sweeper.training.program import Program
from sweeper.training.running import Member, Running
from sweeper.training.stack import StackLoop
from sweeper.trial import TrialSpec

STEPS = 32
"""Of a short epoch: enough to outweigh the call that runs it."""

EPOCHS = 4
"""The first pays for compiling; the fastest of the others counts."""

SAME = 1e-3
"""Relative difference of a loss after one or two short epochs at which numbers count as the same. Sums in another order
differ by 1e-6, which training can blow up a hundredfold in so many steps; a wrong update differs by far more."""


@dataclass(frozen=True)
class Tried:
    """What a try told.

    Attributes:
        first_s: what compiling took.
        epoch_s: seconds a short epoch and trial.
        logs: of the trial that both ways train, epoch by epoch.
    """

    first_s: float
    epoch_s: float
    logs: list[Logs]

    def total_s(self, trials: int, epochs: int) -> float:
        """Seconds for so many trials of one combination and so many short epochs each."""
        return self.first_s + trials * epochs * self.epoch_s


def shortened(feed: Feed, batch_size: int) -> tuple[Feed, float]:
    """A feed of at most `STEPS` batches, and how many such epochs a whole epoch is."""
    rows = STEPS * batch_size
    whole = steps_of(len(feed.train), batch_size)
    short = replace(feed, train=_first(feed.train, rows), validation=_first(feed.validation, rows))
    return short, whole / steps_of(len(short.train), batch_size)


def try_graph(program: Program[Any], spec: TrialSpec, feed: Feed) -> Tried:
    """Train one trial for a moment, in a program that was made ready for it."""
    logs: list[Logs] = []
    ends = [_clock()]

    def on_epoch(epoch: int, told: Logs, finite: bool) -> bool:
        logs.append(told)
        ends.append(_clock())
        return True

    program.begin(spec, len(feed.train)).loop.train(feed, spec.seeds.shuffle, EPOCHS, on_epoch)
    return _tried(ends, logs, 1)


def try_stacked(program: Program[StackLoop], specs: list[TrialSpec], feed: Feed, size: int) -> Tried:
    """Train a stack for a moment; the first trial is the one to compare."""
    members = [Member.of(spec, feed) for spec in specs]
    ends = [_clock()]
    running = Running.begun(program.loop, members, size)
    logs = []
    for _ in range(EPOCHS):
        logs.append(running.advance(program.steps(specs[0], len(feed.train)))[0][2])
        ends.append(_clock())
    return _tried(ends, logs, len(specs))


def differ(one: Tried, other: Tried) -> str | None:
    """How the numbers of the first two epochs differ, if they do."""
    for mine, theirs in list(zip(one.logs, other.logs, strict=True))[:2]:
        for name, value in mine.items():
            if "loss" in name and not np.isclose(value, theirs[name], rtol=SAME, atol=SAME, equal_nan=True):
                return f"{name} {value:.6g} against {theirs[name]:.6g}"
    return None


def key(model: keras.Model, spec: TrialSpec, feed: Feed, words: tuple[Any, ...]) -> str:
    """Equal for two studies whose tries would tell the same: model, data, training, machine and versions."""
    layers = [(type(layer).__name__, [tuple(v.shape) for v in layer.variables]) for layer in model.layers]
    about = (layers, feed.info, len(feed.train), len(feed.validation), spec.combination, spec.epochs, words)
    machine = (_processor(), platform.machine(), tf.__version__, keras.__version__)
    return hashlib.sha256(repr((about, machine)).encode()).hexdigest()[:16]


def _clock() -> float:
    """Seconds of CPU, which other processes of a busy machine do not disturb; of wall clock where a GPU computes."""
    return time.perf_counter() if tf.config.list_physical_devices("GPU") else time.process_time()


def _tried(ends: list[float], logs: list[Logs], trials: int) -> Tried:
    first, *later = np.diff(ends)
    epoch = float(min(later))
    return Tried(max(0.0, float(first) - epoch), epoch / trials, logs)


def _first(part: Part, rows: int) -> Part:
    return Part(part.x[:rows], part.y[:rows])


def _processor() -> str:
    """The model of the processor; `platform.processor` is empty on most Linux machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")

"""Which way a study trains: by rules, and where these leave two ways, by a short try of both.

`fit` trains whatever Keras can train. `graph` has no Python between the steps and is faster wherever it can serve.
`stacked` trains the trials of a cohort together: most of what a small model costs is the calling of operations, which
these then share; convolutions on a CPU are slower in stacks. All of them run Keras' own layers, losses, metrics and
optimizers on the same batches and agree to the last digits.
"""

from __future__ import annotations

from typing import Any, Union

from sweeper.data import Dataset
from sweeper.errors import ModelError, SweeperError
from sweeper.registry import suggest
from sweeper.seeds import derive
from sweeper.setup import TrainerSetup
from sweeper.training import probe
from sweeper.training.contract import Build
from sweeper.training.driving import fitting
from sweeper.training.feed import Feed
from sweeper.training.fit import FitTrainer
from sweeper.training.graph import GraphTrainer, supports
from sweeper.training.memory import largest_stack
from sweeper.training.program import batch_size_of
from sweeper.training.stacked import StackedTrainer, refusal
from sweeper.training.trials import SequentialTrainer
from sweeper.trial import Seeds, TrialSpec

WAYS = ("auto", "stacked", "graph", "off")

KerasTrainer = Union[SequentialTrainer, StackedTrainer]

PROGRAM_SERVES = 2
"""Cohorts that a compiled program sees, about: exploration, then race and confirmation of some, on several workers."""

LARGEST_HELD_BYTES = 2**30
"""Of rows that `auto` lets a graph hold whole; more are better streamed, above all into the memory of a GPU."""


def choose(setup: TrainerSetup, build: Build, data: Dataset, first: TrialSpec | None) -> KerasTrainer:
    """The trainer of a study; `trainer.way` names it, `trainer.why` says in one line why, `trainer.key` remembers it.

    Args:
        setup: `fuse` is `auto` or one of the ways.
        build: the model function.
        data: what the study trains on.
        first: a trial of the study, whose model is built to see what it is. None: nothing is left to be trained.

    Raises:
        ModelError: the model function does not keep its contract, or `fuse` names a way that cannot serve this model.
    """
    if setup.fuse not in WAYS:
        raise ModelError.at("engine.fuse", " or ".join(WAYS), repr(setup.fuse), suggest(setup.fuse, WAYS))
    fit = FitTrainer(setup, build)
    model = None if first is None else fit.check(data, first)
    if setup.fuse == "off":
        return fit.because("engine.fuse is off")
    obstacle = None if model is None else supports(model)
    if obstacle and setup.fuse != "auto":
        raise ModelError.at("engine.fuse", "a model that Keras' own training step trains", obstacle, "fuse: auto")
    if obstacle:
        return fit.because(obstacle)
    if setup.fuse == "auto" and data.x.nbytes > LARGEST_HELD_BYTES:
        return fit.because(f"{data.x.nbytes / 2**30:.1f} GiB of rows are streamed, not held in a graph")
    if setup.fuse == "graph":
        return GraphTrainer(setup, build).because("one compiled function an epoch")
    if model is None or first is None:
        return StackedTrainer(setup, build).because("the trials of a combination together")
    return _Choice(setup, build, data, first).between_stacked_and_graph(model)


class _Choice:
    """Between `stacked` and `graph`, for a model that either may serve."""

    def __init__(self, setup: TrainerSetup, build: Build, data: Dataset, first: TrialSpec) -> None:
        self._setup, self._data, self._first = setup, data, first
        self._stacked, self._graph = StackedTrainer(setup, build), GraphTrainer(setup, build)

    def between_stacked_and_graph(self, model: Any) -> KerasTrainer:
        """The faster of the two that gives the right numbers."""
        named = self._setup.fuse == "stacked"
        if self._setup.cohort < 2 and not named:
            return self._graph.because("every trial has a program of its own")
        obstacle = refusal(self._first.params, self._setup) or self._obstacle()
        if obstacle and named:
            raise ModelError.at("engine.fuse", "trials that can be stacked", obstacle, "fuse: auto")
        if obstacle:
            return self._graph.because(obstacle)
        if named:
            return self._stacked.because("engine.fuse is stacked")
        feed = self._graph.feeds.of(self._data, self._first.seeds.split)
        key = probe.key(model, self._first, feed, (self._setup.cohort, self._setup.batch_size, self._setup.threads))
        if key in self._setup.remembered:
            way, why = self._setup.remembered[key]
            return (self._stacked if way == "stacked" else self._graph).because(why)
        chosen = self._tried(feed)
        chosen.key = key
        return chosen

    def _obstacle(self) -> str | None:
        """What stands against stacking: hidden state, or too little memory for two."""
        feed = self._stacked.feeds.of(self._data, self._first.seeds.split)
        program, _ = self._stacked.programs.taken(self._first, feed)
        if self._stacked.programs.serves_once(self._first, feed):
            return "a step of this model uses state that Keras does not list"
        self._stacked.programs.keep(self._first, program)
        if largest_stack(program, feed, self._setup.memory_bytes) < 2:
            return "two trials together do not fit into the memory of a worker"
        return None

    def _tried(self, feed: Feed) -> KerasTrainer:
        """By a short try of both."""
        short, share = probe.shortened(feed, batch_size_of(self._first, self._setup))
        alone = self._graph.programs.ready(self._first, short)
        graph = probe.try_graph(alone, self._first, short)
        self._graph.programs.keep(self._first, alone)
        try:
            stacked = self._try_stacked(short)
        except Exception as error:  # noqa: BLE001 - whatever a model cannot do stacked, it can do alone
            reason = error.problems[0].received if isinstance(error, SweeperError) else type(error).__name__
            return self._graph.because(f"stacking failed ({reason})")
        difference = probe.differ(stacked, graph)
        if difference is not None:
            return self._graph.because(f"stacked trials gave other numbers: {difference}")
        epochs = max(1, round(self._first.epochs * share))
        times = [tried.total_s(PROGRAM_SERVES * self._setup.cohort, epochs) for tried in (stacked, graph)]
        words = [f"{1000 * tried.epoch_s * share:.2g} ms" for tried in (stacked, graph)]
        if times[0] <= times[1]:
            why = f"{self._setup.cohort} trials at a time take {words[0]} an epoch each, one alone {words[1]}"
            return self._stacked.because(why)
        why = f"one trial alone takes {words[1]} an epoch, {self._setup.cohort} at a time {words[0]} each"
        return self._graph.because(why)

    def _try_stacked(self, feed: Feed) -> probe.Tried:
        first = self._first
        program, _ = self._stacked.programs.taken(first, feed)
        limit = largest_stack(program, feed, self._setup.memory_bytes)
        trials = min(self._setup.cohort, limit)
        others = [
            TrialSpec(first.number, first.stage, first.combination, first.params, _other(first, n), first.epochs)
            for n in range(1, trials)
        ]
        tried = probe.try_stacked(program, [first, *others], feed, fitting(trials, limit))
        self._stacked.programs.keep(first, program)
        return tried


def _other(spec: TrialSpec, number: int) -> Seeds:
    seeds = spec.seeds
    return Seeds(seeds.split, derive(seeds.init, "probe", number), derive(seeds.shuffle, "probe", number))

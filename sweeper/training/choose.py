"""Which way a study trains, by rules that give the same answer whenever they are asked.

Both ways run Keras' own training step on the same batches, so they agree to the last digits; `graph` has no Python
between the steps and is faster wherever it can serve.
"""

from __future__ import annotations

from sweeper.data import Dataset
from sweeper.errors import ModelError
from sweeper.registry import suggest
from sweeper.setup import TrainerSetup
from sweeper.training.contract import Build
from sweeper.training.fit import FitTrainer
from sweeper.training.graph import GraphTrainer, supports
from sweeper.training.trials import SequentialTrainer
from sweeper.trial import TrialSpec

WAYS = ("auto", "graph", "off")

LARGEST_HELD_BYTES = 2**30
"""Of rows that `auto` lets a graph hold whole; more are better streamed, above all into the memory of a GPU."""


def choose(setup: TrainerSetup, build: Build, data: Dataset, first: TrialSpec | None) -> SequentialTrainer:
    """The trainer of a study; `trainer.way` names it and `trainer.why` says in one line why.

    Args:
        setup: `fuse` is `auto`, `graph` or `off`.
        build: the model function.
        data: what the study trains on.
        first: a trial of the study, whose model is built to see what it is. None: nothing is left to be trained.

    Raises:
        ModelError: the model function does not keep its contract, or `fuse: graph` with a model that a graph cannot
            serve.
    """
    if setup.fuse not in WAYS:
        raise ModelError.at("engine.fuse", " or ".join(WAYS), repr(setup.fuse), suggest(setup.fuse, WAYS))
    fit = FitTrainer(setup, build)
    model = None if first is None else fit.check(data, first)
    if setup.fuse == "off":
        return fit.because("engine.fuse is off")
    obstacle = None if model is None else supports(model)
    if obstacle and setup.fuse == "graph":
        raise ModelError.at("engine.fuse", "a model that Keras' own training step trains", obstacle, "fuse: auto")
    if obstacle:
        return fit.because(obstacle)
    if setup.fuse == "auto" and data.x.nbytes > LARGEST_HELD_BYTES:
        return fit.because(f"{data.x.nbytes / 2**30:.1f} GiB of rows are streamed, not held in a graph")
    return GraphTrainer(setup, build).because("one compiled function an epoch")

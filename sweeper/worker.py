"""What a worker process does: cohorts in, events out. It knows neither Optuna nor MLflow."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import pickle
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import connection, parent_process
from multiprocessing.connection import Connection

from sweeper.data import Dataset
from sweeper.deferred import deferred
from sweeper.engines.serving import CohortDone, WorkerFailed, serve
from sweeper.errors import SweeperError
from sweeper.protocols import Trainer
from sweeper.registry import is_reference, resolve
from sweeper.setup import TrainerSetup
from sweeper.trial import EpochEnded, Signal, TrainerReady, TrialEnded, TrialSpec

GROWTH_BYTES = 1_500_000_000
"""A worker that has grown by so much retires after its cohort, and a fresh one takes its place in about a second.

TensorFlow never gives back the memory of a compiled program, and a tuned parameter that is a constant of the graph,
such as dropout, compiles one for each trial (about 5 MB). A trial's numbers do not depend on its worker's past.
"""


@dataclass(frozen=True)
class Payload:
    """Told to a worker once.

    Attributes:
        first: a trial of the study; its model is built before anything trains, so that a faulty model function is said
            once and at once.
    """

    setup: TrainerSetup
    data: Dataset
    first: TrialSpec | None


def main(pipe: Connection, answers: bool, log: str | None = None) -> None:
    """Serve cohorts until the coordinator is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _quiet(log or os.devnull)
    threading.Thread(target=_end_with_coordinator, daemon=True).start()
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        prepared = _prepare(pipe)
        if isinstance(prepared, WorkerFailed):
            pipe.send(prepared)
        else:
            pipe.send(readiness(prepared[0]))
            _serve_all(pipe, *prepared, answers=answers)


def _prepare(pipe: Connection) -> tuple[Trainer, Dataset] | WorkerFailed:
    message = pipe.recv_bytes()
    try:
        payload: Payload = pickle.loads(message)
        return make_trainer(payload.setup, payload.data, payload.first), payload.data
    except SweeperError as error:
        return WorkerFailed(error.to_dict())
    except Exception as error:  # noqa: BLE001 - whatever it is, nobody else can tell it
        traceback.print_exc()
        received = f"{type(error).__name__}: {error}"
        cure = "pip install 'keras-sweeper[cpu]' if TensorFlow is missing; see worker.log"
        return WorkerFailed(SweeperError.at("worker", "a worker that starts", received, cure).to_dict())


def _serve_all(pipe: Connection, trainer: Trainer, data: Dataset, *, answers: bool) -> None:
    def send(event: EpochEnded | TrialEnded) -> Signal:
        pipe.send(event)
        asks = answers and isinstance(event, EpochEnded)
        return Signal(pipe.recv()) if asks else Signal.CONTINUE

    limit = _peak_memory_bytes() + GROWTH_BYTES
    while _peak_memory_bytes() < limit:
        serve(pipe.recv(), trainer, data, send)
        pipe.send(CohortDone(retires=_peak_memory_bytes() >= limit))


def make_trainer(setup: TrainerSetup, data: Dataset, first: TrialSpec | None) -> Trainer:
    """The trainer of a study: a user's own, or Keras.

    Raises:
        ModelError: the function that the study names cannot be found or does not keep its contract.
    """
    if is_reference(setup.trainer):
        own: Trainer = resolve(setup.trainer, setup.folder, what="trainer")
        return own
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    with _hushed_import(), deferred():
        from sweeper.catalog.models import resolve_model
        from sweeper.training.choose import choose

        importlib.import_module("tensorflow")

    return choose(setup, resolve_model(setup.model, setup.folder), data, first)


@contextlib.contextmanager
def _hushed_import() -> Iterator[None]:
    """Keep TensorFlow's greetings off a terminal; a worker's go to its log.

    While it is imported, TensorFlow 2.21 writes about oneDNN to file descriptor 2, whatever its log level is.
    """
    if parent_process() is not None or "tensorflow" in sys.modules:
        yield
        return
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def readiness(trainer: Trainer) -> TrainerReady:
    """How a trainer trains."""
    way, why = getattr(trainer, "way", None), getattr(trainer, "why", None)
    if not (way and why):
        return TrainerReady("a trainer of your own")
    return TrainerReady(f"{way}: {why}", FUSE_OF.get(way, way), getattr(trainer, "key", None))


FUSE_OF = {"fit": "off"}
"""Words of a study file that differ from the name of the way."""


def _peak_memory_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _quiet(path: str) -> None:
    """What the framework and user code print goes to the workers' log, line by line: a worker may be killed."""
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)


def _end_with_coordinator() -> None:
    """A coordinator that was killed closes nothing in an orderly way: watch it and go with it."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)

"""Where trials run: the engine that a study file or a command line names, made from what the study is."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from sweeper import environment
from sweeper.commands import planning
from sweeper.commands.prepare import Prepared
from sweeper.commands.ways import Ways
from sweeper.engines.inline import InlineEngine
from sweeper.engines.processes import ProcessEngine
from sweeper.errors import UsageError
from sweeper.protocols import Engine
from sweeper.worker import Payload, make_trainer, readiness
from sweeper.worker import main as worker_main


@dataclass(frozen=True)
class Place:
    """Where a run wants its trials trained; None leaves it to the study file.

    Attributes:
        engine: `processes`, `inline`, or an engine of one's own.
        log: file that takes what workers print.
        eager: whether there is something to train for certain, so that a worker may get ready for it.
    """

    engine: object = None
    workers: int | None = None
    log: Path | None = None
    eager: bool = False


def make_engine(study: Prepared, ways: Ways, place: Place) -> Engine:
    """The engine of a run.

    Raises:
        UsageError: there is no engine of that name.
    """
    kind = place.engine or study.config.engine.kind
    first = planning.first_trial(study)
    slots = workers(place.workers or study.config.engine.workers)
    setup = planning.setup(study, workers=1 if kind == "inline" else slots)
    if kind == "inline":
        return InlineEngine(lambda: (make_trainer(ways.known(setup), study.data, first), study.data), readiness)
    if kind == "processes":
        engine = ProcessEngine(
            functools.partial(worker_main, log=None if place.log is None else str(place.log)),
            lambda: Payload(ways.known(setup), study.data, first),
            workers=slots,
            per_trial_s=study.config.budget.per_trial,
            answers=study.config.search.pruner != "none",
            follow=ways.is_open,
        )
        return engine.eager() if place.eager else engine
    if isinstance(kind, str):
        raise UsageError.at("engine", "processes or inline", repr(kind))
    given: Engine = kind  # type: ignore[assignment]
    return given


def workers(wanted: int | str) -> int:
    """How many worker processes: one a core by default, each with one thread of the framework.

    Trials a second on 2 cores, workers x threads (`python tests/benchmarks/workers.py`): stacked MLPs 9.1 (1 x 1),
    7.1 (1 x 2), **15.0 (2 x 1)**, 10.1 (2 x 2), 13.1 (4 x 1); CNNs one by one 1.7, 1.0, **3.3**, 1.5, 3.5. A second
    thread makes operations this small slower, of convolutions too. A worker needs about half a gigabyte.
    """
    if isinstance(wanted, int):
        return wanted
    memory = environment.memory_bytes()
    by_memory = max(1, memory // 1_000_000_000) if memory else 1_000
    return max(1, min(environment.cores(), by_memory))

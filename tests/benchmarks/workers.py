"""Trials a second by workers and threads: `python tests/benchmarks/workers.py [mlp lstm cnn]`.

Every row trains the same 48 trials (6 combinations of 8, the models and data of `trials.py`, 20 epochs) in worker
processes that were ready before the clock began, in the way that `fuse: auto` takes for such a model.
"""

import functools
import os
import platform
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from fusion import processor
from trials import small_digits, spec

from sweeper.engines import forking
from sweeper.engines.processes import ProcessEngine
from sweeper.setup import TrainerSetup
from sweeper.trial import Cohort, Signal, TrainerReady, TrialEnded
from sweeper.worker import Payload
from sweeper.worker import main as worker_main

WAYS = {"mlp": "stacked", "lstm": "stacked", "cnn": "graph"}
CHOICES = ((1, 1), (1, 2), (2, 1), (2, 2), (4, 1))
PAIRS = [(activation, optimizer) for activation in ("relu", "tanh") for optimizer in ("sgd", "adam", "rmsprop")]


def main(models: list[str]) -> None:
    """One table, a row a model, a column for workers x threads."""
    forking.warm_up("sweeper.preload", None)
    print("| model | way | " + " | ".join(f"{workers} x {threads}" for workers, threads in CHOICES) + " |")
    print("|---" * (len(CHOICES) + 2) + "|")
    for model in models:
        cells = [f"{rate(model, *choice):.1f}" for choice in CHOICES]
        print(f"| {model} | {WAYS[model]} | " + " | ".join(cells) + " |", flush=True)
    machine = f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"\ntrials a second, workers x threads; {machine}")


def rate(model: str, workers: int, threads: int) -> float:
    """Trials a second from the moment at which the first worker is ready."""
    setup = TrainerSetup(model=model, fuse=WAYS[model], threads=threads)
    first = spec(0, "adam")
    waiting = [cohort(pair, index) for index, pair in enumerate(PAIRS)]
    clock: list[float] = []
    ended: list[TrialEnded] = []

    def hear(event: object) -> Signal:
        if isinstance(event, TrainerReady) and not clock:
            clock.append(time.perf_counter())
        if isinstance(event, TrialEnded):
            ended.append(event)
        return Signal.CONTINUE

    payload = functools.partial(Payload, setup, small_digits(model), first)
    engine = ProcessEngine(worker_main, payload, workers=workers)
    engine.run(lambda: waiting.pop(0) if waiting else None, hear)
    assert len(ended) == 8 * len(PAIRS)
    assert not any(end.status.is_failure for end in ended), ended[0].reason
    return len(ended) / (time.perf_counter() - clock[0])


def cohort(pair: tuple[str, str], index: int) -> Cohort:
    """Eight trials of a combination."""
    activation, optimizer = pair
    return Cohort(tuple(spec(8 * index + n, optimizer, activation) for n in range(8)))


if __name__ == "__main__":
    main(sys.argv[1:] or ["mlp", "lstm", "cnn"])

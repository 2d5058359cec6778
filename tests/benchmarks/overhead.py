"""Milliseconds a trial of the machinery alone: a trainer that trains nothing and reports curves, inline.

    python tests/benchmarks/overhead.py [trials ...]

Prints wall clock and CPU time (of all threads) of whole studies, exploration to report, without tracking in memory,
with the ledger on disk and the report, and with MLflow in SQLite besides; then where the CPU time of the last went.
Imports and the creation of MLflow's tables are paid before the clock starts.
"""

from __future__ import annotations

import math
import platform
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import sweeper
from sweeper import environment
from sweeper.commands.judge import Judge
from sweeper.commands.run import Session
from sweeper.data import Dataset
from sweeper.engines.inline import InlineEngine
from sweeper.planning.optuna_ledger import OptunaLedger
from sweeper.planning.stages import InOrder
from sweeper.protocols import Report
from sweeper.study import Drive
from sweeper.testing import small_dataset
from sweeper.tracking import quiet
from sweeper.trial import Cohort, EpochEnded, Stage, TrialEnded, TrialSpec

COUNTS = (100, 1000, 10000)
EPOCHS = 30
COMBINATIONS, LATER = 9, 45
"""Combinations of a study without `parameters`, and about how many trials follow its exploration."""

PLACES = ("memory", "ledger on disk", "ledger + MLflow (SQLite)")
PARTS = ("ledger", "MLflow", "events", "planning", "judging", "report", "rest")


def trainer(cohort: Cohort, data: Dataset, report: Report) -> list[TrialEnded]:
    """What a real trainer would say of a cohort that it trains together, without the training."""
    ends = []
    heights = [height(spec) for spec in cohort.trials]
    for epoch in range(EPOCHS):
        for spec, top in zip(cohort.trials, heights, strict=True):
            share = top * (1 - math.exp(-(epoch + 1) / 8))
            loss = 2.3 * (1 - share)
            metrics = {"loss": loss, "accuracy": share + 0.01, "val_loss": loss + 0.05, "val_accuracy": share}
            report(EpochEnded(spec.number, epoch, metrics))
    for spec, top in zip(cohort.trials, heights, strict=True):
        last = top * (1 - math.exp(-EPOCHS / 8))
        scores = {"val_accuracy": last, "val_loss": 2.35 - 2.3 * last}
        if spec.stage is Stage.CONFIRM:
            scores |= {"test_accuracy": last - 0.01, "test_loss": 2.4 - 2.3 * last}
        ends.append(TrialEnded.completed(spec, scores, duration_s=0.05))
    return ends


def height(spec: TrialSpec) -> float:
    """A score with one best learning rate, combinations that differ, and noise of a percent."""
    off = math.log10(spec.params["learning_rate"]) + 2.5
    better = len(str(spec.combination)) / 200
    noise = random.Random(f"{spec.combination}{spec.seeds}{spec.params}").gauss(0, 0.01)
    return min(0.99, max(0.05, 0.88 + better - 0.05 * off * off + noise))


class Stopwatch:
    """CPU time by part; what a part spends in another counts for the other."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._thread = threading.local()

    def watch(self, owner: type, part: str, *methods: str) -> None:
        """Count these methods for a part."""
        for method in methods:
            setattr(owner, method, self._watched(part, getattr(owner, method)))

    def _watched(self, part: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def measured(*args: Any, **kwargs: Any) -> Any:
            inner: list[float] = self._thread.__dict__.setdefault("inner", [])
            inner.append(0.0)
            began = time.thread_time()
            try:
                return method(*args, **kwargs)
            finally:
                took = time.thread_time() - began
                self.seconds[part] += took - inner.pop()
                if inner:
                    inner[-1] += took

        return measured


def watch() -> Stopwatch:
    """The parts of a study under the clock."""
    quiet.prepare()
    from sweeper.tracking.mlflow_tracker import MlflowTracker

    stopwatch = Stopwatch()
    stopwatch.watch(OptunaLedger, "ledger", "__init__", "started", "ended", "note")
    stopwatch.watch(MlflowTracker, "MLflow", "__init__", "start", "trial", "finish")
    stopwatch.watch(Drive, "events", "on_event")
    stopwatch.watch(InOrder, "planning", "next_round")
    stopwatch.watch(Judge, "judging", "racers", "candidates", "next_look", "pick", "verdict")
    stopwatch.watch(Session, "report", "_report")
    return stopwatch


def study(place: str, count: int, root: Path) -> tuple[int, float, float]:
    """Trials, seconds of wall clock and seconds of CPU of one study of about `count` trials."""
    tracking = f"sqlite:///{root}/mlflow.db" if place == PLACES[2] else None
    document = {
        "name": f"overhead {count}",
        "data": {"name": "iris"},
        "trainer": "none:none",
        "training": {"epochs": EPOCHS},
        "search": {"points": max(6, (count - LATER) // COMBINATIONS)},
    }
    with tempfile.TemporaryDirectory(dir=root) as storage:
        engine = InlineEngine(lambda: (trainer, small_dataset()))
        wall, cpu = time.perf_counter(), time.process_time()
        where = "memory" if place == PLACES[0] else storage
        verdict = sweeper.run(document, engine=engine, storage=where, tracking=tracking)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return sum(sum(statuses.values()) for statuses in verdict.trials.values()), wall, cpu


def main() -> None:
    """The table, the machine, and where the time goes."""
    counts = [int(word) for word in sys.argv[1:]] or list(COUNTS)
    stopwatch, shares = watch(), []
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        for column in PLACES:  # pays for imports and tables
            study(column, 99, root)
        print("| trials | " + " | ".join(f"{column}: wall / CPU" for column in PLACES) + " |\n|---|---|---|---|")
        for count in counts:
            print(f"| {count} |", end="", flush=True)
            for column in PLACES:
                stopwatch.seconds.clear()
                trials, wall, cpu = study(column, count, root)
                print(f" {1000 * wall / trials:.1f} / {1000 * cpu / trials:.1f} |", end="", flush=True)
            print()
            stopwatch.seconds["rest"] = cpu - sum(stopwatch.seconds.values())
            shares.append(f"| {trials} | " + " | ".join(f"{1000 * stopwatch.seconds[p] / trials:.2f}" for p in PARTS))
    print(f"\nMilliseconds a trial, {EPOCHS} epochs of 4 metrics. {machine()}\n\nCPU of the last column by part:\n")
    print("| trials | " + " | ".join(PARTS) + " |\n|---" + "|---" * len(PARTS) + "|")
    print(*(f"{line} |" for line in shares), sep="\n")


def machine() -> str:
    """The processor, the system and the Python in one line."""
    found = Path("/proc/cpuinfo")
    lines = found.read_text().splitlines() if found.is_file() else []
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.processor())
    return f"{model}, {environment.cores()} cores, {platform.platform()}, Python {platform.python_version()}."


if __name__ == "__main__":
    main()

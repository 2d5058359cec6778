"""Milliseconds a trial of the machinery alone: a trainer that trains nothing, inline, without tracking.

    python tests/benchmarks/overhead.py [memory|file] [trials ...]

`file` includes the ledger on disk and the report; both are left out with `memory`.
"""

import sys
import tempfile
import time

import sweeper
from sweeper.engines.inline import InlineEngine
from sweeper.testing import ScriptedTrainer, small_dataset

COMBINATIONS = 9


def main() -> None:
    storage = sys.argv[1] if len(sys.argv) > 1 else "memory"
    counts = [int(word) for word in sys.argv[2:]] or [100, 1000, 10000]
    study = {"name": "overhead", "data": {"name": "iris"}, "trainer": "none:none", "training": {"epochs": 2}}
    print("| trials | seconds | ms a trial |\n|---|---|---|")
    for count in [90, *counts]:  # the first pays for imports and is not shown
        study["search"] = {"points": max(6, count // COMBINATIONS)}
        engine = InlineEngine(lambda: (ScriptedTrainer(lambda spec: 0.5), small_dataset()))
        with tempfile.TemporaryDirectory() as place:
            began = time.perf_counter()
            verdict = sweeper.run(study, engine=engine, storage="memory" if storage == "memory" else place)
            seconds = time.perf_counter() - began
        trials = sum(sum(statuses.values()) for statuses in verdict.trials.values())
        if count != 90:
            print(f"| {trials} | {seconds:.2f} | {1000 * seconds / trials:.2f} |", flush=True)


if __name__ == "__main__":
    main()

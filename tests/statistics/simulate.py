"""What a verdict is worth where the truth is known: `python tests/statistics/simulate.py --worlds 200 --processes 2`.

Every study goes through the real pipeline (`playing`); beside it the same world is given to plain Optuna, whose best
trial names the winner. Prints the README's Markdown table; behind each share and mean stands its Monte-Carlo standard
error. Points are percentage points of accuracy.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
from playing import SEEDS, TRIALS, Measured, play, play_tpe
from worlds import SCENARIOS

HEADING = (
    "world",
    "strategy",
    "pick is best",
    "names one winner",
    "false winner",
    "truth in set",
    "bias",
    "bias of the mean",
    "interval covers",
    "bound holds",
    "mean bound",
    "ties called",
    "best among finalists",
    "trials",
)


def share(flags: Sequence[bool]) -> str:
    p = float(np.mean(flags))
    # Agresti and Coull: an error that does not vanish at 0 and 1
    middle = (sum(flags) + 2) / (len(flags) + 4)
    return f"{100 * p:.1f} ± {100 * (middle * (1 - middle) / (len(flags) + 4)) ** 0.5:.1f} %"


def mean(values: Sequence[float], decimals: int = 2) -> str:
    error = np.std(values, ddof=1) / len(values) ** 0.5
    return f"{np.mean(values):.{decimals}f} ± {error:.{decimals}f}"


def row(scenario: str, strategy: str, results: Sequence[Measured]) -> list[str]:
    searched = strategy != "sweeper"
    return [
        scenario,
        strategy,
        share([each.right for each in results]),
        share([each.named for each in results]),
        share([each.false_winner for each in results]),
        share([each.in_set for each in results]),
        mean([100 * each.bias for each in results]),
        mean([100 * each.of_mean for each in results]),
        share([each.covered for each in results]),
        "none" if searched else share([each.bound_holds for each in results]),
        "none" if searched else mean([100 * each.bound for each in results]),
        share([each.tied for each in results]),
        "none" if searched else share([each.confirmed for each in results]),
        mean([each.trials for each in results], 0),
    ]


def played(one: Callable[[int], Measured], worlds: range, processes: int) -> list[Measured]:
    """A world of each number; the answers do not depend on the number of processes."""
    for library in ("OMP", "OPENBLAS", "MKL"):  # the matrices are tiny: threads would only wait for each other
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return list(pool.map(one, worlds, chunksize=2))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=100, help="per scenario")
    parser.add_argument("--first", type=int, default=0, help="number of the first world: fresh ones for a fresh look")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--noise", type=float, default=1.0, help="1: as a small MLP on digits, 0.25: as a CNN on CIFAR")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="a finalist at most; a study's own default is 40")
    parser.add_argument("--scenario", choices=SCENARIOS, action="append")
    parser.add_argument("--strategy", choices=("sweeper", "tpe"), action="append")
    options = parser.parse_args()
    began = time.monotonic()
    print("| " + " | ".join(HEADING) + " |\n" + "|---" * len(HEADING) + "|")
    for scenario in options.scenario or SCENARIOS:
        for strategy in options.strategy or ("sweeper", "tpe"):
            ours = partial(play, seeds=options.seeds)
            one = partial(ours if strategy == "sweeper" else play_tpe, scenario, noise=options.noise)
            results = played(one, range(options.first, options.first + options.worlds), options.processes)
            named = "sweeper" if strategy == "sweeper" else f"TPE, best of {TRIALS}"
            print("| " + " | ".join(row(scenario, named, results)) + " |", flush=True)
    print(f"\n{options.worlds} worlds a row, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()

"""What the protocol is worth where the truth is known: `python tests/statistics/simulate.py --worlds 200`.

Prints a Markdown table; behind each share and mean stands its Monte-Carlo standard error.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import numpy as np
from worlds import SCENARIOS, Measured, play

from sweeper.verdict import Outcome

HEADING = (
    "scenario",
    "pick is best",
    "WINNER",
    "TIE",
    "false winner",
    "winner beaten",
    "best among finalists",
    "truth in set",
    "bias",
    "interval covers",
    "on these test rows",
    "bound holds",
    "mean bound",
    "runs",
)


def share(flags: Sequence[bool]) -> str:
    p = float(np.mean(flags))
    # Agresti and Coull: an error that does not vanish at 0 and 1
    middle = (sum(flags) + 2) / (len(flags) + 4)
    return f"{100 * p:.1f} ± {100 * (middle * (1 - middle) / (len(flags) + 4)) ** 0.5:.1f} %"


def mean(values: Sequence[float], unit: str = "") -> str:
    return f"{np.mean(values):.2f} ± {np.std(values, ddof=1) / len(values) ** 0.5:.2f}{unit}"


def row(scenario: str, results: Sequence[Measured]) -> list[str]:
    return [
        scenario,
        share([each.right for each in results]),
        share([each.outcome is Outcome.WINNER for each in results]),
        share([each.outcome is Outcome.TIE for each in results]),
        share([each.false_winner for each in results]),
        share([each.beaten for each in results]),
        share([each.finalist_best for each in results]),
        share([each.truth_in_set for each in results]),
        mean([100 * each.bias for each in results]),
        share([each.covered for each in results]),
        share([each.covered_here for each in results]),
        share([each.bound_holds for each in results]),
        mean([100 * each.bound for each in results]),
        mean([each.runs for each in results]),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=100, help="per scenario")
    parser.add_argument("--noise", type=float, default=1.0, help="1: as a small MLP on digits, 0.25: as a CNN on CIFAR")
    parser.add_argument("--points", type=int, default=8, help="exploration points per combination")
    parser.add_argument("--no-race", action="store_true", help="without the four points around each leader")
    parser.add_argument("--scenario", choices=SCENARIOS, action="append")
    options = parser.parse_args()
    began = time.monotonic()
    print("| " + " | ".join(HEADING) + " |\n" + "|---" * len(HEADING) + "|")
    for scenario in options.scenario or SCENARIOS:
        settings = {"noise": options.noise, "points": options.points, "racing": not options.no_race}
        results = [play(scenario, seed, **settings) for seed in range(options.worlds)]
        print("| " + " | ".join(row(scenario, results)) + " |", flush=True)
    print(f"\n{options.worlds} worlds each, {time.monotonic() - began:.0f} s; points are percentage points of accuracy")


if __name__ == "__main__":
    main()

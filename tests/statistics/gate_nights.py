"""A year of nightly checks where the truth is known: `python tests/statistics/gate_nights.py --years 2000`.

A score is one unit of noise; a baseline is the mean of its seeds, and may be the best of several that are really
equal, as the pick of a study is. Prints a Markdown table: false alarms a year when nothing changed, and the night by
which half of the years have found a drop of so many sds. A year goes on after an alarm, so one unlucky baseline counts
each of its false alarms. Old and new on one seed correlate with 0.1, as re-split networks do (docs/statistics.md).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np

from sweeper.stats import gate

NIGHTS = 365
SHARED = 0.1
DROPS = (0.5, 1.0, 2.0)
RULES = ("naive", "paired", "unpaired")


@dataclass(frozen=True)
class Years:
    """(years,) alarms that fail the build, nights until the first (inf: none), and trainings spent."""

    failures: np.ndarray
    first: np.ndarray
    trainings: np.ndarray


def simulate(rule, *, years, drop=0.0, seeds=20, rivals=1, nights=NIGHTS, seed=0):
    """Years of one rule, in which the pick is worse by `drop` sds from the first night on."""
    rng = np.random.default_rng([seed, years, seeds, rivals, round(10 * drop), RULES.index(rule)])
    field = rng.standard_normal((years, rivals, seeds))
    baseline = field[np.arange(years), field.mean(axis=2).argmax(axis=1)]
    fresh = rng.standard_normal((years, nights, gate.SCREEN_SEEDS)) - drop
    alarms = gate.screen(baseline[:, None, :], fresh).significant(gate.SCREEN_ALPHA)
    failed, more = alarms, 0
    if rule != "naive":
        year, _ = np.nonzero(alarms)
        failed = np.zeros_like(alarms)
        failed[alarms] = _confirmed(rule, rng, baseline[year], drop)
        more = gate.UNPAIRED_SEEDS if rule == "unpaired" else 2 * gate.PAIRED_SEEDS
    first = np.where(failed.any(axis=1), failed.argmax(axis=1) + 1.0, np.inf)
    return Years(failed.sum(axis=1), first, nights * gate.SCREEN_SEEDS + more * alarms.sum(axis=1))


def _confirmed(rule, rng, baseline, drop):
    if rule == "unpaired":
        fresh = rng.standard_normal((len(baseline), gate.UNPAIRED_SEEDS)) - drop
        return gate.unpaired(baseline, fresh).significant(gate.UNPAIRED_ALPHA)
    shared, old, new = rng.standard_normal((3, len(baseline), gate.PAIRED_SEEDS))
    old, new = (np.sqrt(SHARED) * shared + np.sqrt(1 - SHARED) * own for own in (old, new))
    return gate.paired(old, new - drop).significant(gate.PAIRED_ALPHA)


def row(rule, years, seeds, rivals):
    """One line of the table."""
    calm = simulate(rule, years=years, seeds=seeds, rivals=rivals)
    falls = [simulate(rule, years=years // 2, drop=drop, seeds=seeds, rivals=rivals) for drop in DROPS]
    error = calm.failures.std(ddof=1) / np.sqrt(years)
    nights = [np.median(each.first) for each in falls]
    return [
        rule,
        str(seeds),
        "one alone" if rivals == 1 else f"best of {rivals} equals",
        f"{calm.failures.mean():.2f} ± {error:.2f}",
        *("none" if np.isinf(night) else f"{night:.0f}" for night in nights),
        f"{calm.trainings.mean():.0f}",
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=int, default=2000, help="a row; half as many for each drop")
    options = parser.parse_args()
    drops = [f"{drop:g} sd found by night" for drop in DROPS]
    heading = ["rule", "baseline seeds", "baseline is", "false alarms a year", *drops, "trainings a year"]
    print("| " + " | ".join(heading) + " |\n" + "|---" * len(heading) + "|")
    for rule in RULES:
        for seeds, rivals in ((20, 1), (20, 4), (40, 1), (40, 4), (10, 1)):
            print("| " + " | ".join(row(rule, options.years, seeds, rivals)) + " |", flush=True)


if __name__ == "__main__":
    main()

"""Seconds a trial: `python tests/benchmarks/trials.py [fit|graph|stacked] [mlp|cnn|lstm] [threads]`.

MLP 64-32 (or the default CNN or LSTM) on the 8x8 digits, 1078 training rows, batch 32, 20 epochs, two combinations.
"""

import importlib
import os
import statistics
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from sklearn.datasets import load_digits

from sweeper.catalog.models import resolve_model
from sweeper.data import DataInfo, Dataset
from sweeper.setup import TrainerSetup
from sweeper.trial import Cohort, Combination, Seeds, Signal, Stage, TrialEnded, TrialSpec

TRIALS = 8


WAYS = {"fit": ("fit", "FitTrainer"), "graph": ("graph", "GraphTrainer"), "stacked": ("stacked", "StackedTrainer")}


def main(way: str, model: str, threads: int) -> None:
    """Train a cohort of each combination three times, and print the first and the later trials."""
    module, name = WAYS[way]
    kind = getattr(importlib.import_module(f"sweeper.training.{module}"), name)
    data = small_digits(model)
    trainer = kind(TrainerSetup(model=model, threads=threads), resolve_model(model))
    for optimizer in ("adam", "sgd"):
        specs = [spec(number, optimizer) for number in range(TRIALS)]
        first = run(trainer, data, specs)[0]
        before = time.process_time()
        later = run(trainer, data, specs) + run(trainer, data, specs)
        computing = (time.process_time() - before) / len(later)
        best, median = min(later), statistics.median(later)
        print(
            f"{way} {model} {optimizer}, threads={threads}: first {first:.2f} s, "
            f"then {best:.3f} s at best, {median:.3f} s median, {computing:.3f} s of CPU a trial"
        )


def small_digits(model: str) -> Dataset:
    """The 8x8 digits, as rows for an MLP and as pictures for the others."""
    x, y = load_digits(return_X_y=True)
    shape = (64,) if model == "mlp" else (8, 8, 1)
    return Dataset((x / 16).astype("float32").reshape(-1, *shape), y, DataInfo.of(shape, classes=10))


def run(trainer, data: Dataset, specs: list[TrialSpec]) -> list[float]:
    """Seconds of each trial."""
    ends: list[TrialEnded] = trainer(Cohort(tuple(specs)), data, lambda event: Signal.CONTINUE)
    assert not any(end.status.is_failure for end in ends), ends[0].reason
    return [end.duration_s for end in ends]


def spec(number: int, optimizer: str, activation: str = "relu") -> TrialSpec:
    """A trial of 20 epochs."""
    params = {"activation": activation, "optimizer": optimizer, "learning_rate": 0.01}
    pair = Combination({"activation": activation, "optimizer": optimizer})
    return TrialSpec(number, Stage.EXPLORE, pair, params, Seeds(0, number, number), epochs=20)


if __name__ == "__main__":
    words = sys.argv[1:] + ["fit", "mlp", "1"][len(sys.argv) - 1 :]
    main(words[0], words[1], int(words[2]))

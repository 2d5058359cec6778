"""Resident memory over many tiny trials: `python tests/benchmarks/leak.py [fit|graph|stacked] [trials]`."""

import importlib
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from sklearn.datasets import load_digits

from sweeper.catalog.models import resolve_model
from sweeper.data import DataInfo, Dataset
from sweeper.setup import TrainerSetup
from sweeper.trial import Cohort, Combination, Seeds, Signal, Stage, TrialSpec

PAIRS = [(activation, optimizer) for activation in ("relu", "tanh") for optimizer in ("sgd", "adam", "rmsprop")]


WAYS = {"fit": ("fit", "FitTrainer"), "graph": ("graph", "GraphTrainer"), "stacked": ("stacked", "StackedTrainer")}


def main(way: str, trials: int) -> None:
    """Train tiny MLPs, six combinations in turns, and print the growth of the process."""
    module, name = WAYS[way]
    kind = getattr(importlib.import_module(f"sweeper.training.{module}"), name)
    x, y = load_digits(return_X_y=True)
    data = Dataset((x / 16).astype("float32"), y, DataInfo.of((64,), classes=10))
    trainer = kind(TrainerSetup(model_options={"units": (32,)}), resolve_model("mlp"))
    print(f"before the first trial   {resident_mb():7.1f} MB")
    for number in range(trials):
        (end,) = trainer(Cohort((spec(number),)), data, lambda event: Signal.CONTINUE)
        assert not end.status.is_failure, end.reason
        if number in (0, len(PAIRS) - 1) or (number + 1) % 60 == 0:
            print(f"after {number + 1:4d} trials         {resident_mb():7.1f} MB   {end.duration_s:.3f} s the last")


def spec(number: int) -> TrialSpec:
    """Trial after trial goes to the next combination."""
    activation, optimizer = PAIRS[number % len(PAIRS)]
    params = {"activation": activation, "optimizer": optimizer, "learning_rate": 0.01}
    pair = Combination({"activation": activation, "optimizer": optimizer})
    return TrialSpec(number, Stage.CONFIRM, pair, params, Seeds(number, number, number), epochs=3)


def resident_mb() -> float:
    """Of this process (Linux)."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "fit", int(sys.argv[2]) if len(sys.argv) > 2 else 240)

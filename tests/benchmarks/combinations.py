"""Compiling against training: `python tests/benchmarks/combinations.py [mlp|cnn|lstm]`.

Three activations x three optimizers in one process and one thread, a cohort of eight trials of 20 epochs each, stacked:
seconds of CPU of the first cohort of a combination, which compiles, less those of later ones. `trials.py` has the data.
"""

import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from trials import TRIALS, run, small_digits, spec

from sweeper.catalog.models import resolve_model
from sweeper.setup import TrainerSetup
from sweeper.training.stacked import StackedTrainer

LATER = 2


def main(model: str) -> None:
    """One row a combination, in the order in which they were compiled, and the sums."""
    data = small_digits(model)
    train = StackedTrainer(TrainerSetup(model=model, threads=1), resolve_model(model))
    print("| combination | compiling | training eight |\n|---|--:|--:|")
    compiling = training = 0.0
    for optimizer in ("sgd", "adam", "rmsprop"):
        for activation in ("relu", "sigmoid", "tanh"):
            specs = [spec(number, optimizer, activation) for number in range(TRIALS)]
            first, *later = (cpu(train, data, specs) for _ in range(1 + LATER))
            usual = sum(later) / LATER
            compiling, training = compiling + first - usual, training + usual
            print(f"| {activation} + {optimizer} | {first - usual:.2f} | {usual:.2f} |", flush=True)
    print(f"| all | {compiling:.2f} | {training:.2f} |")


def cpu(train: StackedTrainer, data: object, specs: list) -> float:
    """Seconds of CPU of a cohort."""
    before = time.process_time()
    run(train, data, specs)
    return time.process_time() - before


if __name__ == "__main__":
    main((sys.argv[1:] or ["mlp"])[0])

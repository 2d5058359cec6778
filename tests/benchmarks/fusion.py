"""Seconds a trial against the number of trials that are stacked: `python tests/benchmarks/fusion.py [mlp cnn lstm]`.

The models and data of `trials.py`, Adam, 20 epochs, one thread, seconds of CPU of this process; the first cohort, which
compiles, apart. `graph` is one trial after the other, `floor` what the multiplications of a trial would take at the
rate that this machine reaches with matrices of 512 x 512 (`2 x multiplications x 3 x rows x epochs / rate`: forward
once, backward twice).
"""

import importlib
import os
import platform
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from trials import run, small_digits, spec

from sweeper.catalog.models import resolve_model
from sweeper.setup import TrainerSetup
from sweeper.training.feed import Feeds

SIZES = (1, 4, 8, 16, 32)
EPOCHS = 20
REPEATS = 3


def main(models: list[str]) -> None:
    """One table, a row a model."""
    gflops = rate()
    print("| model | " + " | ".join(("graph", *(f"stack of {size}" for size in SIZES), "compiling", "floor")) + " |")
    print("|---" * (len(SIZES) + 4) + "|")
    for model in models:
        data = small_digits(model)
        graph, _ = timed("graph.GraphTrainer", model, data, 4)
        stacked = [timed("stacked.StackedTrainer", model, data, size) for size in SIZES]
        floor = 2 * multiplications(model, data) * 3 * len(Feeds().of(data, 0).train) * EPOCHS / (gflops * 1e9)
        cells = [*(f"{seconds:.3f}" for seconds, _ in [(graph, 0), *stacked]), f"{stacked[2][1]:.2f}", f"{floor:.3f}"]
        print(f"| {model} | " + " | ".join(cells) + " |", flush=True)
    versions = f"Python {platform.python_version()}, tensorflow {tf.__version__}, keras {keras.__version__}"
    print(f"\n{processor()}, {os.cpu_count()} cores, one thread, {gflops:.0f} GFLOP/s; {versions}")


def timed(trainer: str, model: str, data: object, size: int) -> tuple[float, float]:
    """Seconds of CPU a trial in a cohort of `size` whose program is compiled, and those of compiling it."""
    module, _, name = trainer.partition(".")
    kind = getattr(importlib.import_module(f"sweeper.training.{module}"), name)
    train = kind(TrainerSetup(model=model, threads=1), resolve_model(model))
    specs = [spec(number, "adam") for number in range(size)]
    seconds = []
    for _ in range(1 + REPEATS):
        before = time.process_time()
        run(train, data, specs)
        seconds.append(time.process_time() - before)
    best = min(seconds[1:])
    return best / size, seconds[0] - best


def multiplications(model: str, data: object) -> int:
    """Of one example in a forward pass: those of the weights of dense, convolutional and recurrent layers."""
    built = resolve_model(model)(data.info, "relu")
    total = 0
    for layer in built.layers:
        if isinstance(layer, keras.layers.Conv2D):
            total += int(np.prod(layer.kernel.shape)) * int(np.prod(layer.output.shape[1:3]))
        elif isinstance(layer, keras.layers.LSTM):
            steps = layer.input.shape[1]
            total += steps * sum(int(np.prod(weight.shape)) for weight in layer.weights if len(weight.shape) == 2)
        elif isinstance(layer, keras.layers.Dense):
            total += int(np.prod(layer.kernel.shape))
    return total


def rate() -> float:
    """GFLOP/s of a 512 x 512 matrix product in TensorFlow on one thread."""
    a = tf.random.normal((512, 512))
    product = tf.function(lambda x: tf.linalg.matmul(x, x))
    product(a)
    best = np.inf
    for _ in range(5):
        before = time.process_time()
        for _ in range(20):
            product(a)
        best = min(best, (time.process_time() - before) / 20)
    return 2 * 512**3 / best / 1e9


def processor() -> str:
    """The model of the processor, where Linux tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


if __name__ == "__main__":
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    main(sys.argv[1:] or ["mlp", "lstm", "cnn"])

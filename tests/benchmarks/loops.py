"""What the rules of `training.vectorized` are worth: `python tests/benchmarks/loops.py`.

Stacks of MLP 64-32 on the digits, Adam, one thread, in one process: each stack is compiled twice, without and with the
rules, and their epochs are trained in turn. Milliseconds of CPU of an epoch with its validation, the median; the first
one, which compiles, is left out. `trials.py` has the data.
"""

import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from tensorflow.python.ops.parallel_for import pfor
from trials import small_digits, spec

from sweeper.catalog.models import resolve_model
from sweeper.setup import TrainerSetup
from sweeper.training import vectorized
from sweeper.training.running import Member, Running
from sweeper.training.stacked import StackedTrainer

EPOCHS = 30
STEPS = 680
"""Of a whole training, which the schedule wants to know."""


def main() -> None:
    """One row a kind of model and size of a stack."""
    print("| model | stack | loops | rules | |\n|---|--:|--:|--:|--:|")
    for name, options in (("MLP", {}), ("with dropout", {"dropout": 0.3})):
        for size in (8, 32):
            for operation in vectorized.RULES:
                del pfor._pfor_converter_registry[operation]
            rivals = [stack(size, options)]
            vectorized.teach()
            rivals.append(stack(size, options))
            times: list[list[float]] = [[], []]
            for _ in range(EPOCHS):
                for each, found in zip(rivals, times, strict=True):
                    before = time.process_time()
                    each.advance(STEPS)
                    found.append(1000 * (time.process_time() - before))
            loops, rules = map(statistics.median, times)
            print(f"| {name} | {size} | {loops:.1f} | {rules:.1f} | {1 - rules / loops:.0%} less |", flush=True)


def stack(size: int, options: dict) -> Running:
    """Compiled, after its first epoch."""
    data = small_digits("mlp")
    trainer = StackedTrainer(TrainerSetup(model="mlp", model_options=options, threads=1), resolve_model("mlp"))
    specs = [spec(number, "adam") for number in range(size)]
    feeds = [trainer.feeds.of(data, each.seeds.split) for each in specs]
    program, _ = trainer.programs.taken(specs[0], feeds[0])
    running = Running.begun(program.loop, [Member.of(*trial) for trial in zip(specs, feeds, strict=True)], size)
    running.advance(STEPS)
    return running


if __name__ == "__main__":
    main()

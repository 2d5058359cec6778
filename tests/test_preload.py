import subprocess
import sys

import pytest

PRELOAD = """
import gc, os, sys
report = os.fdopen(os.dup(1), "w")
import sweeper.preload
from tensorflow.python.eager import context
print("an operation has run:", context.context()._initialized, file=report)
print("searches for garbage:", gc.isenabled(), file=report)
print("spares what was there:", gc.get_freeze_count() > 100_000, file=report)
print("has what workers need:", {"sweeper.worker", "sweeper.training.graph"} <= set(sys.modules), file=report)
print("has more:", sorted({"pandas", "sklearn", "matplotlib", "optuna", "mlflow"} & set(sys.modules)), file=report)
"""


@pytest.mark.slow
def test_the_fork_server_has_what_workers_need_and_has_run_nothing():
    done = subprocess.run([sys.executable, "-c", PRELOAD], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "an operation has run: False",
        "searches for garbage: True",
        "spares what was there: True",
        "has what workers need: True",
        "has more: []",
    ]

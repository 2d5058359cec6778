"""What is set once per process needs a process of its own."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

SCRIPT = """
import numpy as np
import tensorflow as tf
import keras
from sweeper.catalog.models import resolve_model
from sweeper.data import DataInfo, Dataset
from sweeper.setup import TrainerSetup
from sweeper.training.graph import GraphTrainer
from sweeper.trial import Cohort, Combination, Seeds, Signal, Stage, TrialSpec

setup = TrainerSetup(threads=1, deterministic=True, mixed_precision=True, model_options={"units": (8,), "dropout": 0.1})
trainer = GraphTrainer(setup, resolve_model("mlp"))
rng = np.random.default_rng(0)
data = Dataset(rng.normal(size=(90, 4)).astype("float32"), np.arange(90) % 3, DataInfo.of((4,), classes=3))
params = {"activation": "relu", "optimizer": "adam", "learning_rate": 0.01}
spec = TrialSpec(0, Stage.CONFIRM, Combination({"activation": "relu"}), params, Seeds(0, 0, 0), 2)
(end,) = trainer(Cohort((spec,)), data, lambda event: Signal.CONTINUE)
print(end.status, end.reason, tf.config.threading.get_intra_op_parallelism_threads(), keras.config.dtype_policy().name)
"""


def test_threads_determinism_and_precision_are_those_of_the_setup():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["COMPLETED", "None", "1", "mixed_bfloat16"], done.stderr[-2000:]

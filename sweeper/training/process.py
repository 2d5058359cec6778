"""What training needs to be told once per process."""

from __future__ import annotations

import contextlib
import logging

import keras
import tensorflow as tf

from sweeper.setup import TrainerSetup


def configure(setup: TrainerSetup) -> None:
    """Threads, determinism and precision. To be called in the thread that trains; again without effect.

    The number of threads cannot change once TensorFlow has computed anything: later calls leave it.
    Mixed precision is float16 with loss scaling on a GPU, bfloat16 on a CPU, which computes float16 in software.
    """
    tf.get_logger().setLevel(logging.ERROR)  # its warnings are about the number of functions traced, one a program
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(setup.threads)
        tf.config.threading.set_inter_op_parallelism_threads(setup.threads)
    if setup.deterministic:
        tf.config.experimental.enable_op_determinism()
    policy = "float32"
    if setup.mixed_precision:
        policy = "mixed_float16" if tf.config.list_physical_devices("GPU") else "mixed_bfloat16"
    if keras.config.dtype_policy().name != policy:
        keras.config.set_dtype_policy(policy)

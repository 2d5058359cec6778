"""Imported once by the fork server that workers come from: the framework, and nothing that would start its threads.

A process that has run an operation must not be forked (TensorFlow's threads do not survive it), so no operation runs
and no device is looked for here. What the framework prints goes to the workers' log.
"""

import os
import signal

signal.signal(signal.SIGINT, signal.SIG_IGN)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

_log = os.open(os.environ.get("SWEEPER_WORKER_LOG", os.devnull), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
os.dup2(_log, 1)
os.dup2(_log, 2)

import keras  # noqa: E402, F401
import tensorflow  # noqa: E402, F401

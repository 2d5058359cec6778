"""Imported once by the fork server that workers come from: the framework, and nothing that would start its threads.

A process that has run an operation must not be forked (TensorFlow's threads do not survive it), so no operation runs
and no device is looked for here. What the framework prints goes to the workers' log.
"""

import contextlib
import os
import signal

signal.signal(signal.SIGINT, signal.SIG_IGN)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

_log = os.open(os.environ.pop("SWEEPER_WORKER_LOG", os.devnull), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
os.dup2(_log, 1)
os.dup2(_log, 2)

with contextlib.suppress(Exception):  # a worker meets the same fault, and can tell it
    import keras  # noqa: F401
    import tensorflow  # noqa: F401

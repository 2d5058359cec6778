"""Imported once by the fork server that workers come from: the framework, and nothing that would start its threads.

A process that has run an operation must not be forked (TensorFlow's threads do not survive it), so no operation runs
and no device is looked for here; a test holds that. What the framework prints goes to the workers' log.

Nearly all that an import makes stays for good, so the search for garbage waits until it is over (0.6 of 2.4 seconds of
CPU), and what is there then is never searched: workers do not copy its memory by looking at it.
"""

import contextlib
import gc
import os
import signal

from sweeper.deferred import deferred

signal.signal(signal.SIGINT, signal.SIG_IGN)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

_log = os.open(os.environ.pop("SWEEPER_WORKER_LOG", os.devnull), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
os.dup2(_log, 1)
os.dup2(_log, 2)

gc.disable()
with contextlib.suppress(Exception), deferred():  # a worker meets the same fault, and can tell it
    import keras  # noqa: F401
    import tensorflow  # noqa: F401

    import sweeper.catalog.keras_models
    import sweeper.training.choose
    import sweeper.worker  # noqa: F401
gc.freeze()
gc.enable()

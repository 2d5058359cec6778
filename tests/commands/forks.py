"""Commands in processes that are forked from one that has imported what nearly all of them need.

Half of what a command of a scripted study costs is the import of scipy, Optuna and matplotlib, and the tests start some
hundred of them. Nothing of sweeper, Keras or MLflow is imported before the fork, and a module runs as `python -m` runs
it, with its own environment, folder, signals and end. Elsewhere than on Linux, and where Python itself is to be told
something by the environment, processes are started as ever.

Run as a script, this file is the process that forks.
"""

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import time

MODULES = """
    alembic.config click http.client jinja2 matplotlib.backends.backend_agg matplotlib.figure multiprocessing.connection
    optuna.storages._rdb.models pydantic.main scipy.optimize scipy.stats sqlalchemy.dialects.sqlite sqlalchemy.orm
    urllib.request xml.etree.ElementTree yaml
"""


def start(module, words, *, folder, environ):
    """`python -m module words`; what comes back has what a test asks of a `subprocess.Popen`, its output being text."""
    read_at_start = {name for name in {*environ, *os.environ} if name.startswith("PYTHON")}
    as_here = all(environ.get(name) == os.environ.get(name) for name in read_at_start)
    if sys.platform == "linux" and as_here:
        return Fork({"module": module, "words": words, "folder": str(folder), "environ": environ})
    command = [sys.executable, "-m", module, *words]
    return subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


class Fork:
    """A forked process. It is not a child of this one, so its id and its end are told through a pipe."""

    def __init__(self, task):
        pipes = [os.pipe() for _ in range(3)]
        out, err, self._told = (read for read, _ in pipes)
        self.stdout, self.stderr = os.fdopen(out, encoding="utf-8"), os.fdopen(err, encoding="utf-8")
        written = [write for _, write in pipes]
        socket.send_fds(_server(), [json.dumps(task).encode()], written)
        for write in written:
            os.close(write)
        self.pid = _heard(self._told)
        self.returncode = None

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def poll(self):
        """The exit code, or None while it runs."""
        if self.returncode is None:
            with selectors.DefaultSelector() as ended:
                ended.register(self._told, selectors.EVENT_READ)
                self.returncode = _heard(self._told) if ended.select(0) else None
        return self.returncode

    def communicate(self, timeout=float("inf")):
        """What it and its children wrote, once all of them have ended or closed it."""
        until, told = time.monotonic() + timeout, {self.stdout.fileno(): b"", self.stderr.fileno(): b""}
        with selectors.DefaultSelector() as waiting:
            for pipe in told:
                waiting.register(pipe, selectors.EVENT_READ)
            while waiting.get_map():
                if time.monotonic() > until:
                    raise subprocess.TimeoutExpired(str(self.pid), timeout)
                for key, _ in waiting.select(1):
                    more = os.read(key.fd, 1 << 16)
                    told[key.fd] += more
                    if not more:
                        waiting.unregister(key.fd)
        if self.returncode is None:
            self.returncode = _heard(self._told)
        self.stdout.close(), self.stderr.close(), os.close(self._told)
        return tuple(text.decode() for text in told.values())


@functools.cache
def _server():
    """The socket of the process that forks, which ends when this end is closed."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        server = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())],
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # as sweeper.cli has it: no threads
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )
    atexit.register(server.wait)
    atexit.register(ours.close)
    return ours


def _serve(tasks):
    """Fork for every task that comes, and tell how each ended. Returns the task in a child, and None at the end."""
    running = {}
    with selectors.DefaultSelector() as waiting:
        waiting.register(tasks, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select():
                if key.fileobj is not tasks:
                    waiting.unregister(key.fd)
                    _end(key.fd, *running.pop(key.fd))
                    continue
                message, pipes, _, _ = socket.recv_fds(tasks, 1 << 18, 3)
                if not message:
                    return None
                pid = os.fork()
                if not pid:
                    _become(pipes, [tasks.fileno(), *running, *(told for _, told in running.values())])
                    return json.loads(message)
                out, err, told = pipes
                os.close(out), os.close(err)
                _tell(told, pid)
                end = os.pidfd_open(pid)
                running[end] = (pid, told)
                waiting.register(end, selectors.EVENT_READ)


def _become(pipes, others):
    """Write to one's own pipes, and leave those of others alone."""
    out, err, told = pipes
    os.dup2(out, 1), os.dup2(err, 2)
    for pipe in (out, err, told, *others):
        os.close(pipe)


def _end(end, pid, told):
    """Tell how a child has ended."""
    _, status = os.waitpid(pid, 0)
    _tell(told, os.waitstatus_to_exitcode(status))
    os.close(end), os.close(told)


def _tell(pipe, number):
    with contextlib.suppress(BrokenPipeError):  # nobody asks any more
        os.write(pipe, b"%16d" % number)


def _heard(pipe):
    return int(os.read(pipe, 16))


def _main():
    for name in MODULES.split():
        importlib.import_module(name)
    assert len(os.listdir("/proc/self/task")) == 1, "a thread would be missing after the fork"
    gc.freeze()  # a collection would copy all of it in every child
    with socket.socket(fileno=int(sys.argv[1])) as tasks:
        task = _serve(tasks)
        if task:
            tasks.detach()
    if task:
        os.chdir(task["folder"])
        os.environ.clear()
        os.environ.update(task["environ"])
        sys.argv[1:] = task["words"]
        sys.path[0] = task["folder"]
        runpy.run_module(task["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()

"""MLflow's own server as a child process on loopback, with everything it starts ending when we end it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sweeper.errors import TrackingError
from sweeper.tracking.addresses import public_uri, sqlite_file

HOST = "127.0.0.1"
_PATIENCE_S = 180.0
"""Start-up takes 20 to 35 s on two slow cores, and the migrations of an old store come on top."""

_GRACE_S = 10.0
"""For open requests to end after SIGTERM; then SIGKILL."""

_SETTINGS = {
    # Without this the server starts eight more processes for jobs of language models: 1.2 GB for nothing.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}


@dataclass(frozen=True)
class LocalServer:
    """A server that answers.

    Attributes:
        url: such as `http://127.0.0.1:5000`.
        log: what it has written so far.
    """

    url: str
    log: Path
    process: subprocess.Popen[bytes]

    def wait(self) -> int:
        """Until it ends by itself; its exit status."""
        return self.process.wait()


@contextlib.contextmanager
def local_server(store_uri: str, port: int, progress: Callable[[float], None]) -> Iterator[LocalServer]:
    """A server on a store while the block runs.

    Args:
        store_uri: what it shows, usually `sqlite:///...`.
        port: a free one.
        progress: told every few seconds how many seconds have passed, until it answers.

    Raises:
        TrackingError: it ended, or did not answer in time; with the end of its log.
    """
    file = sqlite_file(store_uri)
    absolute = store_uri if file is None else f"sqlite:///{file.resolve()}"
    with tempfile.TemporaryDirectory(prefix="sweeper-ui-") as folder:
        log = Path(folder, "server.log")
        command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", absolute, "--workers", "1"]
        command += ["--host", HOST, "--port", str(port), "--artifacts-destination", folder]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, **_SETTINGS},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches us alone; we end it and all its children
            )
        server = LocalServer(f"http://{HOST}:{port}", log, process)
        try:
            _wait_until_it_answers(server, public_uri(store_uri), progress)
            yield server
        finally:
            _end(process)


def free_port(wanted: int) -> int:
    """The wanted port, or the next free one above it.

    Raises:
        TrackingError: none of fifty is free.
    """
    for port in range(wanted, wanted + 50):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((HOST, port))
                return int(probe.getsockname()[1])
    raise TrackingError.at(f"--port {wanted}", "a free port", "none up to 49 above it", f"--port {wanted + 1000}")


def _wait_until_it_answers(server: LocalServer, store: str, progress: Callable[[float], None]) -> None:
    begun = time.monotonic()
    said = 0
    while not _answers(server.url):
        elapsed = time.monotonic() - begun
        if server.process.poll() is not None or elapsed > _PATIENCE_S:
            last = server.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-8:]
            ended = server.process.poll() is not None
            raise TrackingError.at(
                f"MLflow server on {store}",
                f"an answer on {server.url}",
                "\n".join(["it ended" if ended else f"none within {_PATIENCE_S:.0f} s", *last]),
                "mlflow db upgrade URI   if the store comes from an older MLflow",
            )
        if elapsed // 5 > said:
            said = int(elapsed // 5)
            progress(elapsed)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.process.wait(0.3)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """The whole process group: the server's own children would otherwise keep the port."""
    _signal(process, signal.SIGTERM)
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        pass
    finally:
        if hasattr(os, "killpg"):
            _signal(process, signal.SIGKILL)
        else:
            process.kill()
        process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, number)
        else:
            process.terminate()

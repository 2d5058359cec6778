"""A real MLflow server that a test may kill, stop and start again on one port, and one that only has faults."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sweeper.errors import TrackingError
from sweeper.tracking import quiet
from sweeper.tracking.local_server import free_port
from sweeper.tracking.reachable import check_reachable


class Server:
    """Begins on `start`; `folder` keeps the store."""

    def __init__(self, folder, port=None):
        self.folder = folder
        self.port = port or free_port(16000 + os.getpid() % 2000)
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        command = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--host", "127.0.0.1"]
        command += ["--port", str(self.port), "--backend-store-uri", f"sqlite:///{self.folder / 'server.db'}"]
        command += ["--artifacts-destination", str(self.folder / "artifacts")]
        environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        while True:
            assert self.process.poll() is None, (self.folder / "server.log").read_text()
            with contextlib.suppress(TrackingError):
                check_reachable(self.url)
                return self
            time.sleep(0.2)

    def signal(self, number):
        """To the server and all that it has started."""
        os.killpg(self.process.pid, number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait()

    def runs(self, experiment):
        """Parents and children (by trial number) in the store; fails where a trial stands there twice."""
        return runs_of(f"sqlite:///{self.folder / 'server.db'}", experiment)


def client_of(uri):
    """MLflow's client, imported without its warnings, which are errors in tests."""
    quiet.prepare()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow import MlflowClient

        return MlflowClient(uri, registry_uri=uri)


def runs_of(uri, experiment):
    """See `Server.runs`."""
    client = client_of(uri)
    found = client.get_experiment_by_name(experiment)
    runs = list(client.search_runs([found.experiment_id], max_results=5000))
    children = [run for run in runs if "mlflow.parentRunId" in run.data.tags]
    by_number = {int(run.data.tags["sweeper.trial"]): run for run in children}
    assert len(by_number) == len(children)
    return [run for run in runs if run not in children], by_number


@contextlib.contextmanager
def faulty_server(status=500):
    """Answers every request with this status; yields its address and the paths that were asked for."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            asked.append(self.path)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = do_PATCH = do_PUT = answer  # noqa: N815  the names that the base class calls

        def log_message(self, *args):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_port}", asked
    finally:
        running.shutdown()
        thread.join()
        running.server_close()

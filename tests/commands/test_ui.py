import contextlib
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from sweeper.commands.ui import ui
from sweeper.errors import TrackingError

STUDY = {"name": "digits", "study_uid": "uid1", "study_hash": "a", "data_hash": "b"}


def test_nothing_to_show_before_the_first_run(tmp_path):
    with pytest.raises(TrackingError, match=r"sweeper run study\.yaml"):
        ui(f"sqlite:///{tmp_path / 'mlflow.db'}", "digits", say=lambda line: None)


def test_a_server_that_is_not_there():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(TrackingError, match="refused"):
        ui(f"http://127.0.0.1:{port}", "digits", say=lambda line: None)


@contextlib.contextmanager
def mlflow_like(documents):
    """A server that gives the document of each path, whatever is asked beyond it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = documents.get(self.path.partition("?")[0])
            self.send_response(404 if body is None else 200)
            self.end_headers()
            self.wfile.write((body or "").encode())

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *args):
            pass

    running = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"127.0.0.1:{running.server_port}"
    finally:
        running.shutdown()
        thread.join()
        running.server_close()


API = "/api/2.0/mlflow"
FOUND = {
    f"{API}/experiments/search": "{}",
    f"{API}/experiments/get-by-name": '{"experiment": {"experiment_id": "7"}}',
    f"{API}/runs/search": '{"runs": [{"info": {"run_id": "abc"}}]}',
}


def test_a_server_that_runs_already_is_not_started_again():
    said = []
    with mlflow_like(FOUND) as host:
        assert ui(f"http://anna:secret@{host}", "digits", study_uid="uid1", say=said.append) == 0
    assert said[0] == f"verdict  http://{host}/#/experiments/7/runs/abc?workflowType=machine_learning"
    assert [line.split()[0] for line in said] == ["verdict", "trials", "curves"]
    assert "secret" not in "".join(said)


@pytest.mark.parametrize("missing", [f"{API}/experiments/get-by-name", f"{API}/runs/search"])
def test_a_server_that_does_not_know_the_study(missing):
    with mlflow_like({**FOUND, missing: None}) as host, pytest.raises(TrackingError, match="experiment 'digits'"):
        ui(f"http://{host}", "digits", say=lambda line: None)


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc"), reason="looks for left-over processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_ui_on_a_local_store_until_ctrl_c(tmp_path, number):
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    code = textwrap.dedent(
        f"""
        from sweeper.commands.ui import ui
        from sweeper.tracking.quiet import open_tracker
        open_tracker({uri!r}, "digits", artifact_root=None).start({STUDY!r})
        raise SystemExit(ui({uri!r}, "digits", 15300, study_uid="uid1"))
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore Ctrl-C
    )
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith("Ctrl-C"):
            break
    servers = _below(process.pid)
    os.kill(process.pid, number)
    rest, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert rest == "ended\n"
    assert any("/#/experiments/1/runs/" in line for line in said)
    assert servers
    assert not [pid for pid in servers if _is_alive(pid)]
    assert {path.name for path in tmp_path.iterdir()} <= {"mlflow.db", "mlflow.db.lock", "mlartifacts", "mlruns"}


def _below(pid):
    """Every process below this one."""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        children = [int(child) for child in file.read().split()]
    return children + [further for child in children for further in _below(child)]


def _is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False

import base64
import contextlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from sweeper.errors import TrackingAway, TrackingError
from sweeper.tracking.reachable import check_reachable

API = "/api/2.0/mlflow/experiments/search?max_results=1"


@contextlib.contextmanager
def server(answers, requests=None):
    """Answers every path with the status given for it, else 404."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if requests is not None:
                requests.append(self)
            self.send_response(answers.get(self.path, 404))
            self.end_headers()

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


@pytest.fixture(autouse=True)
def _no_tracking_variables(monkeypatch):
    for name in ("USERNAME", "PASSWORD", "TOKEN", "INSECURE_TLS", "SERVER_CERT_PATH"):
        monkeypatch.delenv(f"MLFLOW_TRACKING_{name}", raising=False)
    monkeypatch.delenv("MLFLOW_ALLOW_FILE_STORE", raising=False)


def test_a_server_with_its_database_passes():
    with server({API: 200}) as host:
        check_reachable(f"http://{host}/")


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_server_with_a_fault_may_be_well_later(status):
    with server({"/health": 200, API: status}) as host, pytest.raises(TrackingAway, match=f"HTTP {status}") as caught:
        check_reachable(f"http://{host}")
    assert caught.value.exit_code == 5


def test_some_other_server_is_not_taken_for_mlflow():
    with server({"/": 200}) as host, pytest.raises(TrackingError, match=r"HTTP 404") as caught:
        check_reachable(f"http://{host}")
    assert caught.value.exit_code == 2
    assert not isinstance(caught.value, TrackingAway)


def test_nobody_there():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(TrackingAway) as caught:
        check_reachable(f"http://anna:secret@127.0.0.1:{port}")
    problem = caught.value.problems[0]
    assert problem.where == f"http://127.0.0.1:{port}"
    assert "refused" in problem.received
    assert "--no-tracking" in problem.cure
    assert f"mlflow server --port {port}" in problem.cure
    assert "secret" not in str(caught.value)


def test_a_server_that_never_answers():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(TrackingAway, match="timed out"):
            check_reachable(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.1)


@pytest.mark.parametrize("uri", ["http://:5000", "http://anna:secret@host:port", "http://[::1"])
def test_an_address_that_is_none(uri):
    with pytest.raises(TrackingError, match="an address such as") as caught:
        check_reachable(uri)
    assert "secret" not in str(caught.value)


def test_refused_access_names_the_variables():
    with server({API: 401}) as host, pytest.raises(TrackingError, match="MLFLOW_TRACKING_TOKEN"):
        check_reachable(f"http://{host}")


def test_credentials_of_the_address_are_sent():
    requests = []
    with server({API: 200}, requests) as host:
        check_reachable(f"http://anna:p%40ss@{host}")
    assert requests[0].headers["Authorization"] == "Basic " + base64.b64encode(b"anna:p@ss").decode()


def test_a_token_of_the_environment_is_sent(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "t0ken")
    requests = []
    with server({API: 200}, requests) as host:
        check_reachable(f"http://{host}")
    assert requests[0].headers["Authorization"] == "Bearer t0ken"


def test_a_database_in_a_folder_that_is_made_passes(tmp_path):
    check_reachable(f"sqlite:///{tmp_path / 'new' / 'mlflow.db'}")


def test_a_database_where_no_folder_can_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrackingError, match="a file that can be written"):
        check_reachable(f"sqlite:///{tmp_path / 'file' / 'mlflow.db'}")


def test_a_database_that_is_a_folder(tmp_path):
    with pytest.raises(TrackingError, match="IsADirectoryError"):
        check_reachable(f"sqlite:///{tmp_path}")


@pytest.mark.parametrize("prefix", ["", "file:", "file://"])
def test_a_folder_of_files_is_refused_as_mlflow_would(tmp_path, prefix, monkeypatch):
    with pytest.raises(TrackingError, match="no longer writes to") as caught:
        check_reachable(f"{prefix}{tmp_path}")
    assert f"sqlite:///{tmp_path}/mlflow.db" in caught.value.problems[0].cure
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    check_reachable(f"{prefix}{tmp_path}")


@pytest.mark.parametrize("uri", ["ftp://x", "localhost:5000", "s3://bucket/runs", "sqlite3:///a.db"])
def test_a_store_that_mlflow_does_not_have_is_refused(uri):
    with pytest.raises(TrackingError, match="which MLflow does not know"):
        check_reachable(uri)


def test_the_store_of_a_plugin_passes(monkeypatch):
    plugins = EntryPoints([EntryPoint("ftp", "plugin:Store", "mlflow.tracking_store")])
    monkeypatch.setattr("sweeper.tracking.reachable.entry_points", lambda: plugins)
    check_reachable("ftp://x")


@pytest.mark.parametrize("variable", [None, "http://127.0.0.1:9"])
def test_advice_fits_what_was_asked(monkeypatch, variable):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    if variable:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", variable)
    with pytest.raises(TrackingAway) as caught:
        check_reachable("http://127.0.0.1:9", without="")
    assert "--no-tracking" not in str(caught.value)
    assert ("unset MLFLOW_TRACKING_URI" in str(caught.value)) == bool(variable)


@pytest.mark.parametrize("uri", ["databricks", "databricks://profile", "postgresql://host/db", "sqlite:///:memory:"])
def test_other_stores_pass_unchecked(uri):
    check_reachable(uri)

"""Whether a tracking address can be written to, said before anything trains and without importing MLflow.

MLflow itself would retry a dead server for minutes (7 times with growing pauses); here one short question is asked.
"""

from __future__ import annotations

import base64
import http.client
import os
import ssl
import tempfile
import urllib.error
import urllib.request
from importlib.metadata import entry_points
from pathlib import Path
from urllib.parse import urlsplit

from sweeper.errors import TrackingAway, TrackingError
from sweeper.tracking.addresses import credentials, is_server, public_uri, sqlite_file

WITHOUT = "--no-tracking   to track nowhere"
_SCHEMES = frozenset(["", "file", "http", "https", "databricks", "databricks-uc", "uc"])
_DATABASES = frozenset(["sqlite", "postgresql", "mysql", "mssql"])
"""What MLflow itself has a store for; a database may name its driver, such as `mysql+pymysql`."""
_PLUGINS = "mlflow.tracking_store"
"""Group of entry points by which packages add stores to MLflow."""
_SILENCE = "no answer: "
_EXPERIMENTS = "/api/2.0/mlflow/experiments/search?max_results=1"
"""What a server behind a proxy answers even where `/health` is not let through."""


def check_reachable(uri: str, timeout_s: float = 5.0, *, without: str = WITHOUT) -> None:
    """Make sure that MLflow can write to `uri`.

    Args:
        uri: a tracking address; other databases, Databricks and the stores of plugins are not asked.
        timeout_s: seconds a server has to answer.
        without: what else to do where it cannot; empty for a command that is about tracking.

    Raises:
        TrackingAway: nobody answers, or the server says that it has a fault: it may be back later.
        TrackingError: MLflow has no such store, the answer is not MLflow's, access is refused, the folder cannot be
            written, or it is a folder of files, which MLflow no longer writes to.
    """
    _check_form(uri, without)
    if is_server(uri):
        _check_server(uri.rstrip("/"), timeout_s, without)
    elif (file := sqlite_file(uri)) is not None:
        _check_folder(uri, file, without)
    elif _is_file_store(uri) and os.environ.get("MLFLOW_ALLOW_FILE_STORE", "").lower() not in ("true", "1"):
        raise TrackingError.at(
            uri,
            "an address that MLflow can write to: sqlite:///... or http://...",
            "a folder of files, which MLflow 3 no longer writes to",
            f"MLFLOW_TRACKING_URI=sqlite:///{_folder_of(uri)}/mlflow.db\n"
            "mlflow migrate-filestore   takes older runs over",
        )


def _check_form(uri: str, without: str) -> None:
    try:
        parts = urlsplit(uri)
        complete = parts.scheme not in ("http", "https") or (parts.hostname and (parts.port or True))
        fault = "" if complete else "no host in it"
        fault = fault or ("" if _is_known(uri, parts.scheme) else f"{parts.scheme!r}, which MLflow does not know")
    except ValueError as error:  # a port that is no number, a bracket that is not closed
        fault = str(error)
    if fault:
        where = uri.rpartition("@")[2]
        raise TrackingError.at(where, "an address such as http://127.0.0.1:5000", fault, without)


def _is_known(uri: str, scheme: str) -> bool:
    if scheme in _SCHEMES or scheme.partition("+")[0] in _DATABASES or uri == "databricks" or _is_file_store(uri):
        return True
    return any(each.name == scheme for each in entry_points().select(group=_PLUGINS))


def _check_server(uri: str, timeout_s: float, without: str) -> None:
    """Asks for what needs the server's database, because a server may be well and its database not."""
    answer = _answer(uri, _EXPERIMENTS, timeout_s)
    if answer == "200":
        return
    if answer in ("401", "403"):
        raise TrackingError.at(
            public_uri(uri),
            "an MLflow server that lets us in",
            f"HTTP {answer}",
            f"set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN\n{without}".rstrip(),
        )
    received = f"HTTP {answer}" if answer.isdigit() else answer
    port = urlsplit(uri).port or 5000
    kind = TrackingAway if _may_pass(answer) else TrackingError
    cures = [f"mlflow server --port {port}   starts one on this machine", without]
    if os.environ.get("MLFLOW_TRACKING_URI", "").rstrip("/") == uri:
        cures.append("unset MLFLOW_TRACKING_URI   to track in mlruns/mlflow.db")
    cure = "\n".join(filter(None, cures))
    raise kind.at(public_uri(uri), "an MLflow server that answers", received, cure)


def _may_pass(answer: str) -> bool:
    """Whether waiting may help: silence, too many requests, a fault of the server or of the proxy before it."""
    return answer.startswith(_SILENCE) or answer == "429" or answer.startswith("5")


def _answer(uri: str, path: str, timeout_s: float) -> str:
    """The HTTP status as text, or in words why there is none."""
    request = urllib.request.Request(public_uri(uri) + path, headers=authorization(uri))
    try:
        with urllib.request.urlopen(request, timeout=timeout_s, context=tls(uri)) as response:
            return str(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return str(error.code)
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLError):
            return f"no trust: {error.reason}"
        return f"{_SILENCE}{error.reason}"
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"{_SILENCE}{error or type(error).__name__}"


def authorization(uri: str) -> dict[str, str]:
    """The header MLflow's own client would send: from the address, else from its environment variables."""
    pair = credentials(uri)
    user = os.environ.get("MLFLOW_TRACKING_USERNAME")
    if pair is None and user is not None:
        pair = (user, os.environ.get("MLFLOW_TRACKING_PASSWORD", ""))
    if pair is not None:
        return {"Authorization": "Basic " + base64.b64encode(":".join(pair).encode()).decode()}
    token = os.environ.get("MLFLOW_TRACKING_TOKEN")
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def tls(uri: str) -> ssl.SSLContext | None:
    """Certificates as MLflow's own client checks them."""
    if not uri.startswith("https"):
        return None
    context = ssl.create_default_context(cafile=os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH"))
    if os.environ.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() in ("true", "1"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _check_folder(uri: str, file: Path, without: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=file.parent):
            pass
        if file.exists():
            with file.open("r+b"):
                pass
    except OSError as error:
        raise TrackingError.at(
            uri,
            "a file that can be written",
            f"{type(error).__name__}: {error}",
            f"tracking.uri: sqlite:///elsewhere/mlflow.db   in the study file, or free some space\n{without}".rstrip(),
        ) from error


def _is_file_store(uri: str) -> bool:
    scheme = urlsplit(uri).scheme
    if uri in ("databricks", "databricks-uc"):
        return False
    return scheme in ("", "file") or (os.name == "nt" and len(scheme) == 1)


def _folder_of(uri: str) -> str:
    return uri[len("file://") :] if uri.startswith("file://") else uri.removeprefix("file:")

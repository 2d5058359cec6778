"""`sweeper ui`: the MLflow UI on the right store, opened at this study."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from sweeper.errors import TrackingError
from sweeper.tracking.addresses import is_server, public_uri, sqlite_file
from sweeper.tracking.links import study_links
from sweeper.tracking.local_server import free_port, local_server
from sweeper.tracking.reachable import check_reachable


def _to_terminal(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def ui(
    store_uri: str,
    experiment: str,
    port: int = 5000,
    *,
    study_uid: str | None = None,
    say: Callable[[str], None] = _to_terminal,
) -> int:
    """Show a study in the MLflow UI until Ctrl-C; where a server runs already, only tell the address.

    Args:
        store_uri: tracking address of the study.
        experiment: name of its experiment.
        port: on loopback; the next free one where it is taken.
        study_uid: of its parent run; None: the newest study of the experiment.
        say: shows one line to the user.

    Returns:
        Exit code 0, also after Ctrl-C.

    Raises:
        TrackingError: the server does not answer, or there is nothing to show yet.
    """
    if is_server(store_uri):
        check_reachable(store_uri)
        _tell(store_uri, experiment, study_uid, say)
        return 0
    file = sqlite_file(store_uri)
    if file is not None and not file.is_file():
        raise TrackingError.at(str(file), "runs of a study", "no such file", "sweeper run study.yaml   writes it")
    chosen = free_port(port)
    if chosen != port:
        say(f"port {port} is taken, using {chosen}")
    say("starting the MLflow UI; this takes up to half a minute")
    with (
        _sigterm_as_interrupt(),
        contextlib.suppress(KeyboardInterrupt),
        local_server(store_uri, chosen, lambda elapsed_s: say(f"  still starting, {elapsed_s:.0f} s")) as server,
    ):
        _tell(server.url, experiment, study_uid, say)
        say("Ctrl-C ends it")
        status = server.wait()
        raise TrackingError.at(server.url, "a server until Ctrl-C", f"it ended with status {status}", "sweeper ui")
    say("ended")
    return 0


def _tell(server: str, experiment: str, study_uid: str | None, say: Callable[[str], None]) -> None:
    links = study_links(server, experiment, study_uid)
    if links is None:
        where, cure = f"experiment {experiment!r}", "sweeper run study.yaml   writes it"
        raise TrackingError.at(where, "runs of a study", f"none on {public_uri(server)}", cure)
    say(f"verdict  {links.verdict}")
    say(f"trials   {links.trials}")
    say(f"curves   {links.curves}")


@contextlib.contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """SIGTERM ends like Ctrl-C: Python would otherwise leave without ending the server."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt

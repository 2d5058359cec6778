"""`sweeper sync`: what a tracking store lacks of a study, sent from the ledger alone; again without effect."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sweeper.commands import unsent
from sweeper.commands.check_run import gate_writer
from sweeper.commands.closing import Closing
from sweeper.commands.continuing import ABOUT, COMPLETE, TRACKED_AT, TRACKED_TO, TRACKING
from sweeper.commands.tracking import background_tracker, default_uri, experiment
from sweeper.config import StudyConfig
from sweeper.errors import TrackingAway, UsageError
from sweeper.folder import StudyFolder
from sweeper.planning.optuna_ledger import noting, stored
from sweeper.study_file import StudyFile
from sweeper.tracking.addresses import is_server, public_uri
from sweeper.tracking.background import BackgroundTracker
from sweeper.tracking.links import study_links
from sweeper.tracking.reachable import check_reachable

SAY_EVERY_S = 2.0


def sync(file: StudyFile, root: Path, *, tracking: str | None, deliver: str, say: Callable[[str], None]) -> str:
    """Send what is missing; what there is now, in words.

    Neither data nor trainer are touched. Trials that the store has, whoever sent them, stay as they are; what was
    begun and not ended is completed. After a kill the trials are sent, and the study is shown as unfinished.

    Args:
        file: the study; of it `name` and `tracking` are looked at.
        root: folder that studies live in.
        tracking: address; None: where the last run was to track to, else where a run would.
        deliver: this command, for messages.
        say: shows one line about the progress.

    Raises:
        UsageError: the study has not been run.
        StudyBusy: it is being run, and sends by itself.
        TrackingAway: the server does not answer, or went away before everything was sent.
        TrackingError: time will not mend what is wrong with the address.
    """
    folder = StudyFolder(root.absolute(), file.config.name)
    checks = _send_checks(file.config, folder, tracking or default_uri(file.config, root))
    if checks and not folder.ledger.is_file():
        return checks
    ledger = folder.ledger_of_run(file.source.name)
    with folder.locked():
        known = stored(ledger, file.config.name)
        about = _about(known.notes, file.config, folder)
        uri = tracking or _address(known.notes, file.config, root)
        check_reachable(uri, without="")
        name = experiment(file.config)
        tracker = background_tracker(uri, name, folder, ready=lambda: None, deliver=deliver)
        with contextlib.closing(tracker):
            tracker.start(about)
            for record in known.records:
                tracker.trial(record)
            progress = _Progress(len(known.records), public_uri(uri), say)
            Closing.noted(known.notes).send(tracker, progress=progress)
            ids = _delivered(tracker)
        _note(folder, file.config.name, ids, is_complete=bool(known.notes.get(COMPLETE)))
    words = _words(uri, name, about["study_uid"], len(known.records), ids)
    return f"{words}\n{checks}" if checks else words


def _send_checks(config: StudyConfig, folder: StudyFolder, uri: str) -> str:
    """Send the checks that the server has missed; how many, in words, or nothing."""
    if not unsent.waiting(folder.path):
        return ""
    with folder.locked():
        check_reachable(uri, without="")
        try:
            sent = unsent.send_all(folder.path, lambda: gate_writer(uri, experiment(config), folder))
        except Exception as error:  # MLflow's: whatever it is, what has not been sent still waits
            check_reachable(uri, without="")
            said = (str(error).splitlines() or [type(error).__name__])[0][:300]
            raise TrackingAway.at(public_uri(uri), "a record of every check", said, "the same command again") from error
    return f"{public_uri(uri)} has the {sent} check{'' if sent == 1 else 's'} that it had missed"


class _Progress:
    """Says now and then how many trials have been sent."""

    def __init__(self, total: int, place: str, say: Callable[[str], None]) -> None:
        self._total, self._place, self._say = total, place, say
        self._said = time.monotonic()

    def __call__(self, pending: int) -> None:
        if time.monotonic() - self._said > SAY_EVERY_S:
            self._said = time.monotonic()
            self._say(f"{self._total - pending} of {self._total} trials sent to {self._place}")


def _about(notes: Mapping[str, Any], config: StudyConfig, folder: StudyFolder) -> dict[str, Any]:
    """What the study was begun as, with what its file says of tracking now: that may change between runs."""
    if notes.get(ABOUT) is None:
        cure = "sweeper run   writes them, and trains nothing twice"
        raise UsageError.at(str(folder.ledger), "a ledger with the plan of its study", "one of an older version", cure)
    about = dict(notes[ABOUT])
    tracking = config.tracking.model_dump(mode="json", exclude_none=True, exclude={"uri"})
    return {**about, "configuration": {**about["configuration"], "tracking": tracking}}


def _address(notes: Mapping[str, Any], config: StudyConfig, root: Path) -> str:
    """Where the last run was to track to. The ledger has addresses without passwords; files and environment may not."""
    wanted, usual = notes.get(TRACKED_TO), default_uri(config, root)
    return usual if wanted in (None, public_uri(usual)) else str(wanted)


def _delivered(tracker: BackgroundTracker) -> Mapping[str, str | None]:
    """The ids of the parent run, if everything has been written."""
    problem = tracker.problem
    if problem is None:
        return tracker.ids()
    raise TrackingAway(problem)


def _note(folder: StudyFolder, name: str, ids: Mapping[str, str | None], *, is_complete: bool) -> None:
    """Where the study is tracked now, in the ledger and in the verdict document."""
    notes = {TRACKING: dict(ids), **({TRACKED_AT: ids["uri"]} if is_complete else {})}
    noting(folder.ledger, name, notes)
    if folder.verdict.is_file():
        document = json.loads(folder.verdict.read_text(encoding="utf-8"))
        document["tracking"] = dict(ids)
        replacement = folder.verdict.with_name(".verdict.json.sync")
        replacement.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        replacement.replace(folder.verdict)


def _words(uri: str, name: str, uid: str, trials: int, ids: Mapping[str, str | None]) -> str:
    lines = [f"{public_uri(uri)} has all {trials} trials of {name!r}, run {ids['run_id']}"]
    links = study_links(uri, name, uid) if is_server(uri) else None
    return "\n".join([*lines, *([] if links is None else [f"verdict  {links.verdict}", f"trials   {links.trials}"])])

"""`sweeper run`: load, resolve, plan, explore, confirm, judge, report."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TextIO, Union

from sweeper.commands import planning
from sweeper.commands.closing import Closing
from sweeper.commands.continuing import (
    CLOSING,
    COMPLETE,
    RUN_BEGAN,
    SPENT_S,
    TRACKED_AT,
    TRACKING,
    WAY,
    begin_run,
    continue_or_begin,
    told,
)
from sweeper.commands.engine import Place, make_engine
from sweeper.commands.judge import Judge
from sweeper.commands.prepare import Prepared, prepare
from sweeper.commands.report import material
from sweeper.commands.signals import Interruption
from sweeper.commands.tracking import Tracking, away, open_tracking
from sweeper.commands.warming import PRELOAD, seems_done, wants_framework
from sweeper.commands.ways import Ways
from sweeper.engines import forking
from sweeper.errors import Incomplete, Interrupted, Problem, StorageError, SweeperError, TrackingAway
from sweeper.folder import DEFAULT_ROOT, StudyFolder
from sweeper.planning.optuna_ledger import OptunaLedger
from sweeper.planning.stages import is_kept
from sweeper.protocols import Engine
from sweeper.report.plain import Kind, observer
from sweeper.report.progress import Progress
from sweeper.report.text import headline, summary
from sweeper.report.write import verdict_json, write
from sweeper.study import Drive, Limits
from sweeper.study_file import StudyFile
from sweeper.tracking.addresses import public_uri
from sweeper.tracking.parent import without_passwords
from sweeper.trial import TrialRecord
from sweeper.verdict import Outcome, Verdict

SAY_EVERY_S = 5.0


@dataclass(frozen=True)
class Options:
    """What a run may be told besides its study file; None leaves it to the file or the default.

    Attributes:
        engine: `processes`, `inline`, or an engine of one's own.
        tracking: address of the tracking store; None tracks nowhere.
        storage: folder that holds `studies/<study>`; None keeps everything in memory.
        display: how progress is shown on `stream`.
        deliver: the command that sends what a tracking server that was away has missed.
        command: as it was typed, for the report.
        browse: where or how the tracked runs can be looked at.
    """

    engine: Union[str, Engine, None] = None
    workers: int | None = None
    tracking: str | None = None
    storage: Path | None = None
    fresh: bool = False
    extend: bool = False
    retry_failed: bool = False
    display: Kind = "quiet"
    stream: TextIO = sys.stderr
    command: str = ""
    browse: str = ""
    deliver: str = "sweeper sync"


@dataclass(frozen=True)
class Result:
    """What a run leaves.

    Attributes:
        stopped: why the study did not come to its end, if it did not.
        undelivered: what the tracking store has missed, and the command that sends it.
        report: path of report.html, if there is one.
        unconfirmed: whether the study asked for no confirmation, and so for no verdict.
    """

    verdict: Verdict
    stopped: SweeperError | None
    undelivered: Problem | None
    report: Path | None
    unconfirmed: bool = False

    @property
    def exit_code(self) -> int:
        """0 done, 4 no verdict possible, 5 not all of it in the tracking store, else that of what stopped the study."""
        if self.stopped is not None:
            return self.stopped.exit_code
        settled_for_less = self.unconfirmed and self.verdict.pick is not None
        if self.verdict.outcome is Outcome.NO_VERDICT and not settled_for_less:
            return 4
        return 0 if self.undelivered is None else TrackingAway.exit_code


def run(file: StudyFile, options: Options) -> Result:
    """Run or continue a study.

    Raises:
        SweeperError: nothing could be trained, or nothing that was trained could be stored.
    """
    interruption = Interruption()
    with interruption.listening(), _folder(file, options) as folder:
        return Session(file, options, folder, interruption).run()


class Session:
    """One run of one study: the verbs of the line in their order."""

    def __init__(self, file: StudyFile, options: Options, folder: StudyFolder, interruption: Interruption) -> None:
        self.file = file
        self.options = options
        self.folder = folder
        self.interruption = interruption
        self.began = self._said = time.monotonic()
        self._unsent = 0

    def run(self) -> Result:
        """From a checked file to a verdict."""
        self._warm_up()
        study = prepare(self.file)
        self.interruption.check()
        uri, stored = self.options.tracking, self.options.storage is not None
        silence = "" if uri is None else away(uri, can_wait=stored)
        if self.options.fresh:
            self.folder.set_aside()
            self.folder.create()
        judge = Judge(study)
        with contextlib.closing(self._ledger(study)) as ledger:
            continue_or_begin(study, ledger, extend=self.options.extend)
            if self.options.retry_failed and ledger.forgive_failures():
                ledger.note(COMPLETE, False)
            if self._is_settled(ledger):
                return self._recalled(study, judge, ledger)
            begin_run(ledger, self.options.command)
            deliver = self.options.deliver
            tracking = open_tracking(self.options.tracking, study, ledger, self.folder, deliver=deliver)
            try:
                stopped = self._train(study, judge, ledger, tracking, silence)
                return self._conclude(study, judge, ledger, tracking, stopped)
            except BaseException:
                tracking.abandon()
                raise

    def _is_settled(self, ledger: OptunaLedger) -> bool:
        """Whether all is trained, reported, and written where this run would write it."""
        there = self.options.storage is None or (self.folder.report.is_file() and self.folder.verdict.is_file())
        return there and bool(ledger.notes.get(COMPLETE)) and ledger.notes.get(TRACKED_AT) == self._address()

    def _address(self) -> str | None:
        return None if self.options.tracking is None else public_uri(self.options.tracking)

    def _recalled(self, study: Prepared, judge: Judge, ledger: OptunaLedger) -> Result:
        """The verdict of a study that is done."""
        verdict = told(judge.verdict(tuple(ledger.history.records())), ledger.notes)
        return Result(verdict, None, None, self.folder.report, unconfirmed=not study.looks)

    def _warm_up(self, *, needed: bool = False) -> None:
        """Begin to import the framework; again without effect. A study that seems done waits until it is needed."""
        wanted = needed or self.options.fresh or not seems_done(self.folder)
        if wanted and wants_framework(self.file, self.options.engine):
            in_memory = self.options.storage is None
            forking.warm_up(PRELOAD, None if in_memory else str(self.folder.worker_log))

    def _engine_kind(self) -> object:
        return self.options.engine or self.file.config.engine.kind

    def _ledger(self, study: Prepared) -> OptunaLedger:
        path = None if self.options.storage is None else self.folder.ledger
        return OptunaLedger(path, study.config.name, space=study.space, objective=study.objective)

    def _train(
        self, study: Prepared, judge: Judge, ledger: OptunaLedger, tracking: Tracking, silence: str
    ) -> Incomplete | Interrupted | None:
        """Drive the study to its end; what ended it early, if anything."""
        ledger.note(COMPLETE, False)
        planner, judge_epoch = planning.planner(study, judge, ledger, keep=self._keep())
        progress = Progress(study.space.combinations(), study.objective, expected=planning.expected(study))
        progress.restore(ledger.history.records())
        ways = Ways(ledger, study.config.engine.fuse, None if self.options.storage is None else self.folder.root)
        limits = Limits(study.config.budget.time, study.config.budget.failures, self.interruption.check)
        try:
            with observer(self.options.display, progress, self.options.stream, title=study.config.name) as display:
                if tracking.is_on:
                    display.announce(silence or self.options.browse)
                drive = Drive(
                    planner,
                    ledger,
                    tracking.tracker,
                    display,
                    study.objective,
                    limits,
                    study.data.no_information(),
                    judge_epoch,
                    ways.ready,
                    partial(tracking.plan_written, self.interruption.check),
                )
                drive.run(self._engine(study, ways, eager=tracking.is_new))
        except (Incomplete, Interrupted) as error:
            return error
        return None

    def _conclude(
        self,
        study: Prepared,
        judge: Judge,
        ledger: OptunaLedger,
        tracking: Tracking,
        stopped: Incomplete | Interrupted | None,
    ) -> Result:
        """Judge what there is, report it, and close the tracking."""
        spent_s = float(ledger.notes.get(SPENT_S, 0.0)) + time.monotonic() - self.began
        tracked = tracking.ids()
        ledger.note(SPENT_S, spent_s)
        ledger.note(RUN_BEGAN, None)
        ledger.note(TRACKING, tracked)
        records = tuple(ledger.history.records())
        verdict = told(judge.verdict(records, complete=stopped is None), ledger.notes)
        written: tuple[Path, ...] = ()
        if self.options.storage is not None or tracking.is_on:
            try:
                written = self._report(study, records, verdict, ledger)
            except StorageError as error:
                stopped = stopped or error
        kept = verdict.pick is not None and is_kept(records, verdict.pick.params, completed=True)
        keep = self.folder.keep if kept and stopped is None else None
        complete = stopped is None
        closing = Closing.of(verdict, ledger.notes.get(WAY), written, keep, complete=complete)
        ledger.note(CLOSING, asdict(closing))
        ledger.describe(f"### {headline(verdict)}")
        ledger.note(COMPLETE, complete)
        undelivered = tracking.finish(closing, stopped, waiting=self._waiting)
        if undelivered is None and complete:
            ledger.note(TRACKED_AT, self._address())
        report = self.folder.report if self.options.storage is not None else None
        return Result(verdict, stopped, undelivered, report, unconfirmed=not study.looks)

    def _report(
        self, study: Prepared, records: Sequence[TrialRecord], verdict: Verdict, ledger: OptunaLedger
    ) -> tuple[Path, ...]:
        return write(self.folder.path, material(study, records, verdict, self.folder, ledger.notes))

    def _waiting(self, trials: int) -> None:
        """While tracking catches up: hear Ctrl-C, and say what is being waited for."""
        self.interruption.check()
        late = time.monotonic() - self._said > SAY_EVERY_S
        if trials and trials != self._unsent and self.options.display != "quiet" and late:
            self._said, self._unsent = time.monotonic(), trials
            self.options.stream.write(f"sending {trials} trials to {self._address()}\n")

    def _keep(self) -> str | None:
        wanted = self.file.config.keep.models == "winner" and self.file.config.trainer is None
        nowhere = self.options.storage is None and self.options.tracking is None
        return str(self.folder.keep) if wanted and not nowhere else None

    def _engine(self, study: Prepared, ways: Ways, *, eager: bool) -> Engine:
        kind = self._engine_kind()
        if kind == "processes":
            self._warm_up(needed=True)
        log = None if self.options.storage is None else self.folder.worker_log
        return make_engine(study, ways, Place(kind, self.options.workers, log, eager=eager))


@contextlib.contextmanager
def _folder(file: StudyFile, options: Options) -> Iterator[StudyFolder]:
    """The locked folder of the study, or a temporary one where nothing is to stay."""
    if options.storage is None:
        with tempfile.TemporaryDirectory(prefix="sweeper-") as place:
            folder = StudyFolder(Path(place), file.config.name)
            folder.create()
            yield folder
        return
    folder = StudyFolder(options.storage.absolute(), file.config.name)
    with folder.locked():
        yield folder


def command_line() -> str:
    """The command as it was typed, for the report."""
    words = [os.path.basename(sys.argv[0]), *sys.argv[1:]]
    return without_passwords(" ".join(words))


def browse(study: Path, storage: Path) -> str:
    """The command that shows the runs of a study."""
    return f"sweeper ui {study}" + ("" if storage == DEFAULT_ROOT else f" --storage {storage}")


def deliver(study: Path, storage: Path, tracking: str | None) -> str:
    """The command that sends to a tracking store what it lacks; `tracking` as it was given on the command line."""
    elsewhere = "" if storage == DEFAULT_ROOT else f" --storage {storage}"
    return f"sweeper sync {study}{elsewhere}" + ("" if tracking is None else f" --tracking {public_uri(tracking)}")


def document(result: Result) -> str:
    """The verdict document as JSON."""
    return verdict_json(result.verdict)


def words(result: Result, study: Path, storage: Path) -> str:
    """The verdict for the terminal, and where to look next."""
    lines = [summary(result.verdict)]
    if result.report is not None:
        lines.append(f"report  {result.report}")
    if result.verdict.tracking is not None and result.verdict.tracking.get("run_id"):
        lines.append(f"runs    {browse(study, storage)}")
    return "\n".join(lines)

"""The frozen pick on fresh seeds: what `check` trains here, and `score` in the environment of the old side."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from sweeper import environment
from sweeper.commands.engine import Place, make_engine
from sweeper.commands.prepare import Prepared, prepare
from sweeper.commands.signals import Interruption
from sweeper.commands.ways import Ways
from sweeper.errors import Interrupted, Problem, SweeperError, UsageError
from sweeper.planning.memory_ledger import MemoryLedger
from sweeper.planning.nightly import Drafts, confirming
from sweeper.planning.stages import Candidate
from sweeper.protocols import Tracker
from sweeper.report.plain import Kind, observer
from sweeper.report.progress import Progress
from sweeper.study import Drive, Limits
from sweeper.study_file import StudyFile
from sweeper.tracking.nowhere import NoTracker
from sweeper.trial import Combination, Stage, TrialSpec


@dataclass
class Fresh:
    """Trains settings of one study; everything that was trained is in its ledger.

    Attributes:
        root: folder in which it is remembered how models are trained fastest.
        reason: why something did not come to its end, if so.
    """

    study: Prepared
    place: Place
    root: Path | None = None
    display: Kind = "quiet"
    stream: TextIO = sys.stderr
    tracker: Tracker = field(default_factory=NoTracker)
    interrupted: Callable[[], None] = lambda: None
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    reason: str = ""

    def train(self, drafts: Sequence[TrialSpec], *, at_most: int, title: str) -> dict[int, float]:
        """Test score by repetition of what trained to its end; what failed is missing, and `reason` says why.

        Raises:
            Interrupted: a signal came.
        """
        study = self.study
        ways = Ways(self.ledger, study.config.engine.fuse, self.root)
        expected = {Stage.CONFIRM: (len(drafts), at_most)}
        progress = Progress([drafts[0].combination], study.objective, expected=expected)
        progress.restore(self.ledger.history.records())
        # failures do not end it early: a check says itself how much is enough
        limits = Limits(study.config.budget.time, 1.0, self.interrupted)
        try:
            with observer(self.display, progress, self.stream, title=title) as display:
                drive = Drive(
                    Drafts(drafts),
                    self.ledger,
                    self.tracker,
                    display,
                    study.objective,
                    limits,
                    study.data.no_information(),
                    on_ready=ways.ready,
                )
                drive.run(make_engine(study, ways, self.place))
        except Interrupted:
            raise
        except SweeperError as error:
            self.reason = _one_line(error)
        return self._scores(drafts)

    def _scores(self, drafts: Sequence[TrialSpec]) -> dict[int, float]:
        wanted, found = {draft.repetition for draft in drafts}, {}
        for record in self.ledger.history.records():
            score = record.value(self.study.objective.test)
            if record.spec.repetition not in wanted:
                continue
            if record.ended.status.is_failure or score is None:
                self.reason = self.reason or _line(record.ended.reason or record.ended.status.value)
            else:
                found[record.spec.repetition] = score
        return found


def score(file: StudyFile, request: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """Answer a check that runs in another environment: the pick on the seeds of its night, and what it ran in.

    Args:
        file: the study.
        request: `combination`, `params`, `night`, `seeds`.
        place: where to train.
    """
    try:
        pick = Candidate(Combination(request["combination"]), dict(request["params"]))
        night, seeds = str(request["night"]), int(request["seeds"])
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(Problem("stdin", "combination, params, night and seeds as JSON", repr(error))) from error
    interruption = Interruption()
    with interruption.listening():
        study = prepare(file)
        config = study.config
        fresh = Fresh(study, place, interrupted=interruption.check)
        drafts = confirming(pick, seeds, seed=config.search.seed, night=night, epochs=config.training.epochs)
        scores = fresh.train(drafts, at_most=seeds, title=config.name)
    return {
        "study_hash": study.hash,
        "data_hash": study.fixed["data fingerprint"],
        "packages": environment.packages(),
        "scores": [scores.get(draft.repetition) for draft in drafts],
        "reason": fresh.reason,
    }


def parsed(text: str) -> Mapping[str, Any]:
    """A request or an answer as JSON.

    Raises:
        UsageError: it is something else.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise UsageError(Problem("stdin", "JSON", str(error))) from error
    if not isinstance(document, dict):
        raise UsageError(Problem("stdin", "a JSON object", type(document).__name__))
    return document


def _one_line(error: SweeperError) -> str:
    problem = error.problems[0] if error.problems else None
    return _line(str(error) if problem is None else f"{problem.where}: {problem.received or problem.expected}")


def _line(text: str) -> str:
    return " ".join(text.split())[:300]

"""`sweeper check`: did the frozen pick get worse? Screen with a few fresh seeds, confirm an alarm with more."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any, TextIO

from sweeper.commands import nights
from sweeper.commands.baseline import find
from sweeper.commands.baseline_file import MLFLOW
from sweeper.commands.check_run import CheckRun, Ids, packages
from sweeper.commands.comparable import changed, incomparable, place
from sweeper.commands.engine import Place
from sweeper.commands.fresh import Fresh
from sweeper.commands.gate_rules import Decision, Rules, band, undecided
from sweeper.commands.old_side import OldSide
from sweeper.commands.prepare import Prepared, prepare
from sweeper.commands.signals import Interruption
from sweeper.commands.warming import PRELOAD, wants_framework
from sweeper.engines import forking
from sweeper.errors import Interrupted, Problem, SweeperError, TrackingAway
from sweeper.folder import StudyFolder
from sweeper.gate import Baseline, GateResult, Night
from sweeper.planning.nightly import CANARY, confirming, screening
from sweeper.planning.stages import Candidate
from sweeper.report.plain import Kind
from sweeper.report.write import json_text, whole
from sweeper.stats import gate as stats
from sweeper.study_file import StudyFile
from sweeper.tracking.reachable import check_reachable
from sweeper.trial import TrialRecord


@dataclass(frozen=True)
class Options:
    """What a check may be told besides its study file.

    Attributes:
        baseline: a file, `mlflow:latest` or `mlflow:<run id>`; None leaves it to the study file.
        night: whose seeds are used; None: today (UTC).
        old: how to train the old side after an alarm.
        engine, workers: None leaves them to the study file.
        tracking: address of the tracking store; None tracks nowhere.
        storage: folder that holds `studies/<study>`.
        display: how progress is shown on `stream`, where warnings go too.
    """

    baseline: str | None = None
    night: date | None = None
    old: OldSide = field(default_factory=OldSide)
    engine: object = None
    workers: int | None = None
    tracking: str | None = None
    storage: Path = Path("mlruns")
    display: Kind = "quiet"
    stream: TextIO = sys.stderr


def check(file: StudyFile, options: Options) -> GateResult:
    """Check the frozen pick of a study: train it on fresh seeds, compare, and write down what came of it.

    Raises:
        SweeperError: the study cannot be checked at all: its file or data are faulty, or somebody else is at it.
        Interrupted: a signal came; what is tracked has been closed.
    """
    folder = StudyFolder(options.storage.absolute(), file.config.name)
    interruption = Interruption()
    with interruption.listening(), folder.locked():
        if wants_framework(file, options.engine):
            forking.warm_up(PRELOAD, str(folder.worker_log))
        study = prepare(file)
        interruption.check()
        if options.tracking is not None:
            _question(options.tracking, options.stream)
        return Check(study, options, folder, interruption).run()


class Check:
    """One check of one study."""

    def __init__(self, study: Prepared, options: Options, folder: StudyFolder, interruption: Interruption) -> None:
        self.study = study
        self.options = options
        self.folder = folder
        self.interruption = interruption
        self.began = time.monotonic()
        self.when = datetime.now(timezone.utc)
        self.night = (options.night or self.when.date()).isoformat()
        self.packages = packages()
        gate = study.config.gate
        self.threshold = None if gate is None else gate.threshold
        self.margin = None if gate is None else gate.margin
        self.trained = 0
        self.records: Sequence[TrialRecord] = ()

    def run(self) -> GateResult:
        """From a prepared study to an answer that is stored and tracked."""
        baseline, problems = self._baseline()
        uri = None if baseline is None else self.options.tracking  # a mistaken call is no night
        tracked = CheckRun(self.study, baseline, uri, self.folder, self.night)
        try:
            decision = undecided(problems) if baseline is None or problems else self._decide(baseline, tracked)
        except BaseException as error:
            self._warn(tracked.abandon("KILLED" if isinstance(error, Interrupted) else "FAILED"))
            raise
        return self._conclude(baseline, decision, tracked)

    def _baseline(self) -> tuple[Baseline | None, Sequence[Problem]]:
        """The baseline, if there is one, and why it is none to compare with."""
        gate, file = self.study.config.gate, self.study.file
        word = self.options.baseline
        if word is None and gate is not None and gate.baseline is not None:
            word = gate.baseline if gate.baseline.startswith(MLFLOW) else str(file.folder / gate.baseline)
        if word is None:
            cure = f"sweeper baseline set {file.source.name}, then --baseline baseline.json or gate: {{baseline: ...}}"
            return None, [Problem("sweeper check", "a baseline", "none", cure)]
        try:
            baseline = find(word, self.study, self.options.tracking)
        except SweeperError as error:
            return None, error.problems
        return baseline, incomparable(baseline, self.study)

    def _decide(self, baseline: Baseline, tracked: CheckRun) -> Decision:
        """Screen; after an alarm confirm."""
        study, options = self.study, self.options
        rules = Rules(baseline, self.margin or baseline.epsilon, self.threshold, self._luck(baseline))
        at = Place(options.engine, options.workers, self.folder.worker_log)
        fresh = Fresh(
            study, at, self.folder.root, options.display, options.stream, tracked.tracker, self.interruption.check
        )
        drafts = screening(_pick(baseline), stats.SCREEN_SEEDS, **self._seeded())
        most = len(drafts) + stats.UNPAIRED_SEEDS
        found = fresh.train(drafts, at_most=most, title=f"check of {study.config.name}")
        self._count(fresh)
        if "data" not in (now := self._changed(baseline)) and "code" not in now:
            rules.canary(found.get(CANARY))
        scores = [score for repetition, score in found.items() if repetition != CANARY]
        if len(scores) < stats.LEAST_SCREENED:
            return rules.too_few("screen", scores, stats.SCREEN_SEEDS, fresh.reason)
        if not rules.alarms(scores):
            return rules.quiet(scores)
        return self._confirm(baseline, rules, fresh)

    def _confirm(self, baseline: Baseline, rules: Rules, fresh: Fresh) -> Decision:
        """More fresh seeds, none of those that raised the alarm; the old side on the same ones where it can be had."""
        old = self._old_side(baseline)
        seeds = stats.PAIRED_SEEDS if old else stats.UNPAIRED_SEEDS
        drafts = confirming(_pick(baseline), seeds, **self._seeded())
        fresh.reason = ""
        found = fresh.train(drafts, at_most=len(drafts), title=f"alarm of {self.study.config.name}")
        self._count(fresh, len(old))
        new = [found.get(draft.repetition) for draft in drafts]
        pairs = [(b, a) for b, a in zip(old or new, new, strict=True) if a is not None and b is not None]
        scores = [after for _, after in pairs]
        if len(scores) < stats.LEAST_CONFIRMED:
            return rules.too_few("drop", scores, seeds, fresh.reason or "the old side did not train to its end")
        return rules.confirmed(scores, [before for before, _ in pairs] if old else ())

    def _old_side(self, baseline: Baseline) -> list[float | None]:
        if not self.options.old.is_given:
            return []
        path, interrupted = Path(self.study.file.source.name), self.interruption.check
        scores, why = self.options.old.scores(path, baseline, self.night, stats.PAIRED_SEEDS, interrupted)
        if why:
            self._warn(f"the old side cannot be trained again, so the stored scores are compared with: {why}")
        return scores

    def _count(self, fresh: Fresh, elsewhere: int = 0) -> None:
        """Take note of what has been trained, some of it perhaps in another interpreter."""
        self.records = tuple(fresh.ledger.history.records())
        self.trained = len(self.records) + elsewhere

    def _conclude(self, baseline: Baseline | None, decision: Decision, tracked: CheckRun) -> GateResult:
        """Put the night into the history, here and on the tracking server; without a baseline there was none."""
        earlier = nights.merged(nights.read(self.folder.path), self._on_the_server())
        ids, past = tracked.ids(), [each.night for each in earlier]
        document = self.folder.path / "gate.json"
        entry = None
        if baseline is not None:
            before = self._since(earlier[-1] if earlier and decision.checks else None, baseline)
            night = self._night(baseline, decision, before, ids)
            entry = nights.Entry(night, place(self.study.fixed), self.packages)
            past.append(night)
        result = self._result(baseline, decision, past, ids)
        try:
            if entry is not None:
                nights.append(self.folder.path, entry)
            whole(document, json_text(result.to_dict()).encode())
        except (SweeperError, OSError) as error:
            self._warn(str(error))
        if entry is not None:
            self._warn(tracked.finish(result, entry, [document], self.records))
        return result

    def _since(self, last: nights.Entry | None, baseline: Baseline) -> tuple[str, ...]:
        """What has changed since the last night; since the baseline where there is none to name."""
        if last is None:
            return self._changed(baseline)
        return changed(last.place, last.packages, place(self.study.fixed), self.packages)

    def _night(self, baseline: Baseline, decision: Decision, before: tuple[str, ...], ids: Ids) -> Night:
        metric = self.study.objective.metric
        mean, around = band(baseline, metric)
        return Night(
            when=self.when.isoformat(timespec="milliseconds"),
            outcome=decision.outcome,
            score=decision.score,
            interval=decision.interval,
            seeds=len(decision.scores),
            changed=before,
            run_id=None if ids is None else ids.get("run_id"),
            baseline=mean,
            band=around,
            night=None if self.options.night is None else self.night,
            reason=decision.reason,
            metric=metric,
        )

    def _result(self, baseline: Baseline | None, decision: Decision, known: Sequence[Night], ids: Ids) -> GateResult:
        objective = self.study.objective
        return GateResult(
            study=self.study.config.name,
            outcome=decision.outcome,
            said=decision.said,
            metric=objective.metric,
            maximize=objective.maximize,
            margin=self.margin or (objective.epsilon if baseline is None else baseline.epsilon),
            baseline=baseline,
            score=decision.score,
            interval=decision.interval,
            drop=decision.drop,
            drop_interval=decision.drop_interval,
            checks=decision.checks,
            nights=tuple(known),
            changed=() if baseline is None else self._changed(baseline),
            trained=self.trained,
            duration_s=round(time.monotonic() - self.began, 3),
            tracking=ids,
            cure=decision.cure,
        )

    def _on_the_server(self) -> list[nights.Entry]:
        if self.options.tracking is None:
            return []
        try:
            check_reachable(self.options.tracking)
            experiment = self.study.config.tracking.experiment or self.study.config.name
            return nights.tracked(self.options.tracking, experiment)
        except Exception as error:  # noqa: BLE001 - MLflow's; the answer does not depend on it
            self._warn(f"the nights on the tracking server cannot be read: {str(error).splitlines()[0][:200]}")
            return []

    def _changed(self, baseline: Baseline) -> tuple[str, ...]:
        return changed(baseline.settings, baseline.packages, self.study.fixed, self.packages)

    def _luck(self, baseline: Baseline) -> float:
        """What other test rows bring, where data have changed; it can be told for shares of right rows only."""
        if baseline.data_hash == self.study.fixed["data fingerprint"] or not baseline.metric.endswith("accuracy"):
            return 0.0
        share = sum(baseline.scores) / len(baseline.scores)
        return stats.rows_luck(share, baseline.test_rows, self.study.data.sizes()["test"])

    def _seeded(self) -> dict[str, Any]:
        config = self.study.config
        return {"seed": config.search.seed, "night": self.night, "epochs": config.training.epochs}

    def _warn(self, text: str) -> None:
        if text:
            self.options.stream.write(f"warning: {text}\n")


def _question(uri: str, stream: TextIO) -> None:
    """Ask once whether the tracking store is there: silence costs no night, an address that is wrong ends it.

    Raises:
        TrackingError: time will not mend what is wrong with the address.
    """
    try:
        check_reachable(uri)
    except TrackingAway as away:
        problem = away.problems[0]
        stream.write(f"warning: {problem.where}: {problem.received}; the check goes on, and is sent when it is back\n")


def _pick(baseline: Baseline) -> Candidate:
    return Candidate(baseline.combination, baseline.params)

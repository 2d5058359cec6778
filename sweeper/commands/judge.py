"""The statistics as the planner and the report ask for them, bound to one study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sweeper.commands.prepare import Prepared
from sweeper.planning.stages import Candidate
from sweeper.stats.confirmation import Confirmation
from sweeper.stats.judging import JudgeRules, confirmation, judge
from sweeper.stats.screening import Finalists, finalists, screen
from sweeper.trial import Combination, Stage, TrialRecord
from sweeper.verdict import Verdict


@dataclass(frozen=True)
class Judge:
    """Every question that a study asks of the statistics; each answer is a pure function of the records."""

    study: Prepared

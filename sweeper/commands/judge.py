"""The statistics as the planner and the report ask for them, bound to one study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sweeper.commands.prepare import Prepared
from sweeper.planning.stages import Candidate
from sweeper.stats.judging import JudgeRules, Studied, judge
from sweeper.stats.judging import study as studied
from sweeper.stats.racing import race
from sweeper.trial import Combination, TrialRecord
from sweeper.verdict import Verdict


class Judge:
    """Every question that a study asks of the statistics; each answer is a pure function of the records."""

    def __init__(self, study: Prepared) -> None:
        config = study.config
        self._study = study
        self._rules = JudgeRules(
            alpha=config.confirm.alpha,
            looks=study.looks,
            finalists=config.confirm.finalists,
            strategy=config.search.strategy,
            seed=config.search.seed,
            no_information=study.data.no_information(),
            confirm=bool(study.looks),
        )

    def racers(self, records: Sequence[TrialRecord]) -> list[tuple[Combination, Sequence[Mapping[str, Any]]]]:
        """The better half of the explored combinations, with the settings that are tried once more."""
        study = self._study
        found = race(records, space=study.space, objective=study.objective, rules=self._rules, points=study.points)
        return [(racer.combination, racer.settings) for racer in found]

    def candidates(self, records: Sequence[TrialRecord]) -> list[Candidate]:
        """The finalists with the parameters they are confirmed with, best first."""
        chosen = self._studied(records).finalists.chosen
        return [Candidate(each.combination, each.params) for each in chosen if each.params is not None]

    def next_look(self, records: Sequence[TrialRecord]) -> tuple[Sequence[Combination], int] | None:
        """Who is confirmed further, and with how many seeds in all; None when the verdict stands."""
        state = self._studied(records).evidence.confirmation
        return None if state.next_look is None else (state.alive, state.next_look)

    def pick(self, records: Sequence[TrialRecord]) -> Candidate | None:
        """The combination to keep; None while there is nothing to keep."""
        pick = self.verdict(records).pick
        return None if pick is None else Candidate(pick.combination, pick.params)

    def verdict(self, records: Sequence[TrialRecord], *, complete: bool = True) -> Verdict:
        """What can honestly be said from these records."""
        study = self._study
        return judge(
            study.config.name,
            records,
            space=study.space,
            objective=study.objective,
            rules=self._rules,
            complete=complete,
        )

    def _studied(self, records: Sequence[TrialRecord]) -> Studied:
        return studied(records, space=self._study.space, objective=self._study.objective, rules=self._rules)

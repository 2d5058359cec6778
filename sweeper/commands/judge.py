"""The statistics as the planner and the report ask for them, bound to one study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import numpy as np

from sweeper.commands.prepare import Prepared
from sweeper.planning.stages import Candidate
from sweeper.stats.best_set import best_set
from sweeper.trial import Combination, Stage, TrialRecord
from sweeper.verdict import *


@dataclass(frozen=True)
class Judge:
    study: Prepared

    def candidates(self, records):
        o = self.study.objective
        best = {}
        for r in records:
            if r.spec.stage in (Stage.EXPLORE, Stage.SEARCH):
                v = r.value(o.validation)
                if v is not None and (r.spec.combination not in best or o.sign * v > o.sign * best[r.spec.combination][0]):
                    best[r.spec.combination] = (v, r.spec.params)
        top = sorted(best.items(), key=lambda kv: -o.sign * kv[1][0])[:3]
        return [Candidate(c, p) for c, (_, p) in top]

    def _scores(self, records):
        out = {}
        for c in self.candidates(records):
            out[c.combination] = [r.value(self.study.objective.test) for r in records if r.spec.stage is Stage.CONFIRM and r.spec.combination == c.combination]
        return out

    def next_look(self, records):
        scores = self._scores(records)
        n = min((len(s) for s in scores.values()), default=0)
        for look in self.study.looks:
            if n < look:
                return list(scores), look
            bs = best_set(np.array([s[:look] for s in scores.values()]).T * self.study.objective.sign, 0.0125, rng=np.random.default_rng(0))
            if bs.in_set.sum() == 1:
                return None
        return None

    def pick(self, records):
        cands = self.candidates(records)
        scores = self._scores(records)
        if not cands: return None
        return max(cands, key=lambda c: self.study.objective.sign * float(np.mean(scores[c.combination] or [0])))

    def is_complete(self, records):
        return True

    def verdict(self, records, complete):
        o = self.study.objective
        p = self.pick(records)
        scores = self._scores(records)
        S = min((len(s) for s in scores.values()), default=0)
        fin, bs = [], None
        if S >= 2:
            bs = best_set(np.array([s[:S] for s in scores.values()]).T * o.sign, 0.0125, rng=np.random.default_rng(0))
            cands = self.candidates(records)
            fin = [Finalist(c.combination, c.params, float(np.mean(scores[c.combination])), Interval(float(min(scores[c.combination])), float(max(scores[c.combination]))), tuple(scores[c.combination]), float(bs.regret[i]), bool(bs.in_set[i])) for i, c in enumerate(cands)]
        expl = []
        for c in self.study.space.combinations():
            mine = [r for r in records if r.spec.stage in (Stage.EXPLORE, Stage.SEARCH) and r.spec.combination == c]
            vals = [r.value(o.validation) for r in mine if r.value(o.validation) is not None]
            expl.append(Explored(c, len(mine), max(vals, default=None), sum(r.ended.status == 'DIVERGED' for r in mine)))
        trials = {}
        for r in records:
            d = trials.setdefault(r.spec.stage.value, {})
            d[r.ended.status.value] = d.get(r.ended.status.value, 0) + 1
        members = tuple(f.combination for f in fin if f.in_set)
        outcome = Outcome.NO_VERDICT if not fin else Outcome.WINNER if len(members) == 1 else Outcome.NOT_SEPARATED
        return Verdict(self.study.config.name, outcome, members[0] if outcome is Outcome.WINNER else None, None if p is None else Pick(p.combination, p.params), next((f.regret for f in fin if p and f.combination == p.combination), None), members, tuple(fin), tuple(expl), o.metric, 'maximize' if o.maximize else 'minimize', .05, o.epsilon, trials=trials, complete=complete)

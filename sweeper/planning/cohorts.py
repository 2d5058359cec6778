"""From drafts of trials to numbered cohorts: the same history always gives the same numbers and the same cohorts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import count, groupby

from sweeper.protocols import History
from sweeper.trial import Cohort, TrialSpec

UNNUMBERED = -1

Identity = tuple[str, str, int]


def identity(spec: TrialSpec) -> Identity:
    """What makes two trials the same training: stage, parameters and repetition."""
    return spec.stage.value, json.dumps(spec.params, sort_keys=True, default=str), spec.repetition


def planned(drafts: Sequence[TrialSpec], history: History, size: int) -> list[Cohort]:
    """What history lacks of the drafts, in cohorts that share everything but learning rate and seeds.

    A cohort is a block of up to `size` repetitions of one stage, whichever of them have ended: those keep the others
    company, so that a round that was cut short goes on in the same stacks, with the same numbers to the last bit.
    """
    missing = {identity(spec): spec for spec in numbered(drafts, history)}
    done = {identity(record.spec): record.spec for record in history.records() if not record.ended.status.is_failure}
    result = []
    for _, block in groupby(drafts, key=lambda draft: (_shared(draft), draft.stage, draft.repetition // size)):
        known = [identity(draft) for draft in block]
        trials = tuple(missing[each] for each in known if each in missing)
        company = tuple(missing.get(each) or done[each] for each in known if each in missing or each in done)
        if trials:
            result.append(Cohort(trials, company=() if company == trials else company))
    return result


def alone(specs: Iterable[TrialSpec]) -> list[Cohort]:
    """Every trial a cohort of its own."""
    return [Cohort((spec,)) for spec in specs]


def numbered(drafts: Sequence[TrialSpec], history: History) -> list[TrialSpec]:
    """The drafts that history lacks: the number they were handed out with, else the smallest free one, in their order.

    A round that was cut short thus gets the same numbers again, whichever of its trials had ended; and where the plan
    has changed since, no trial gets the number of another.
    """
    done = {identity(record.spec) for record in history.records()}
    handed_out = {identity(spec): number for number, spec in history.waiting.items()}
    free = (number for number in count() if number not in history and number not in history.waiting)
    missing = ((identity(draft), draft) for draft in drafts)
    return [
        replace(draft, number=handed_out[known] if known in handed_out else next(free))
        for known, draft in missing
        if known not in done
    ]


def _shared(spec: TrialSpec) -> str:
    static = {name: value for name, value in spec.params.items() if name != "learning_rate"}
    return json.dumps([static, spec.epochs], sort_keys=True, default=str)

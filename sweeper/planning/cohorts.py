"""From drafts of trials to numbered cohorts: the same history always gives the same numbers and the same cohorts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import count, groupby, pairwise

from sweeper.protocols import History
from sweeper.trial import Cohort, TrialSpec

UNNUMBERED = -1

Identity = tuple[str, str, int]


def identity(spec: TrialSpec) -> Identity:
    """What makes two trials the same training: stage, parameters and repetition."""
    return spec.stage.value, json.dumps(spec.params, sort_keys=True, default=str), spec.repetition


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


def cohorts(specs: Iterable[TrialSpec], size: int) -> list[Cohort]:
    """Neighbours that share everything but learning rate and seeds, in cohorts of nearly equal size, at most `size`."""
    result: list[Cohort] = []
    for _, group in groupby(specs, key=_shared):
        members = tuple(group)
        number = -(-len(members) // size)
        ends = [len(members) * part // number for part in range(number + 1)]
        result += [Cohort(members[start:end]) for start, end in pairwise(ends)]
    return result


def _shared(spec: TrialSpec) -> str:
    static = {name: value for name, value in spec.params.items() if name != "learning_rate"}
    return json.dumps([static, spec.epochs], sort_keys=True, default=str)

"""What a scheduled check answers: did the frozen pick get worse? Records that `stats`, `report` and commands share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

from sweeper.trial import Combination
from sweeper.verdict import Interval


class GateOutcome(str, Enum):
    """How a check ended; everything but PASSED has an exit code of its own, so nothing passes silently."""

    PASSED = "PASSED"
    """Nothing got worse that the rule could tell."""
    FAILED = "FAILED"
    """The drop was confirmed, or the score's lower bound is below the threshold."""
    UNDECIDED = "UNDECIDED"
    """The baseline is missing or of something else, or too little trained to the end."""

    def __str__(self) -> str:
        return self.value

    @property
    def exit_code(self) -> int:
        """0, 3 or 4."""
        return {"PASSED": 0, "FAILED": 3, "UNDECIDED": 4}[self.value]


@dataclass(frozen=True)
class Baseline:
    """A verdict frozen for scheduled checks: the pick, and what it scored where.

    Attributes:
        metric: plain name; `scores` are those of the test rows, one for each confirmation seed, in order.
        maximize: whether more is better.
        epsilon: absolute, in the metric's unit; the margin where the study file names none.
        study_hash: of everything that determines a number of the study.
        data_hash: fingerprint of the data set.
        packages: name -> version of what the scores were made with (tensorflow, keras, numpy, ...).
        created: day on which it was frozen, ISO 8601.
        settings: what the study was run with, nested, as the ledger keeps it: tells what has changed since.
        task, classes: what was predicted; `test_rows` how many rows the scores were counted on, 0 where unknown.
    """

    study: str
    combination: Combination
    params: Mapping[str, Any]
    metric: str
    maximize: bool
    epsilon: float
    scores: tuple[float, ...]
    study_hash: str
    data_hash: str
    packages: Mapping[str, str]
    sweeper: str
    created: str
    run_id: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    task: str = ""
    classes: int | None = None
    test_rows: int = 0


@dataclass(frozen=True)
class GateCheck:
    """One rule that was applied in a check; a JUnit report has one case for each.

    Attributes:
        name: `canary`, `screen`, `drop` or `threshold`.
        outcome: of this rule alone. An alarm of the screen is no failure: `drop` decides.
        said: one sentence with the figures.
    """

    name: str
    outcome: GateOutcome
    said: str
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Night:
    """One earlier or present night of the same gate, for sparkline and history.

    Attributes:
        when: ISO 8601 in UTC.
        score: mean over the night's fresh seeds; `interval` is around it; None where nothing trained to the end.
        changed: what differs from the night before (from the baseline, on the first night and where the baseline could
            not be compared with): `data`, `code`, or `numpy 2.1 -> 2.2`.
        baseline: mean of the baseline that was compared with, `band` its 95 % interval; None without one.
        night: the day whose seeds were asked for, where one was named.
        reason: why it is undecided, in a few words; empty otherwise.
        metric: of the score; empty where a version did not say.
    """

    when: str
    outcome: GateOutcome
    score: float | None
    interval: Interval | None
    seeds: int
    changed: tuple[str, ...] = ()
    run_id: str | None = None
    baseline: float | None = None
    band: Interval | None = None
    night: str | None = None
    reason: str = ""
    metric: str = ""

    @property
    def shown(self) -> str:
        """What people call it: its name where it has one, else the clock time to the minute."""
        return self.night or self.when[:16].replace("T", " ")


def of_metric(nights: Sequence[Night], metric: str) -> list[Night]:
    """Those nights whose scores can stand on one axis."""
    return [night for night in nights if night.metric in ("", metric)]


@dataclass(frozen=True)
class GateResult:
    """The answer of `sweeper check`; `to_dict` is the gate document (gate.json, `--json`).

    Attributes:
        said: one sentence: what was found and, if something got worse, by how much.
        score: mean of the fresh seeds; the baseline's is the mean of `baseline.scores`.
        drop: by how much the new mean is worse than the old one (positive is worse), `drop_interval` around it; from
            the paired seeds where an alarm asked for them, else from the screen.
        checks: the rules that were applied, in order.
        nights: the nights before this one and this one, oldest first.
        tracking: `uri`, `experiment`, `run_id`, or None if nothing was tracked.
        cure: what to do next, where the outcome is not PASSED.
    """

    study: str
    outcome: GateOutcome
    said: str
    metric: str
    maximize: bool
    margin: float
    baseline: Baseline | None
    score: float | None
    interval: Interval | None
    drop: float | None
    drop_interval: Interval | None
    checks: tuple[GateCheck, ...] = ()
    nights: tuple[Night, ...] = ()
    changed: tuple[str, ...] = ()
    trained: int = 0
    duration_s: float = 0.0
    tracking: Mapping[str, str | None] | None = None
    cure: str = ""

    @property
    def exit_code(self) -> int:
        """0 passed, 3 failed, 4 cannot be decided."""
        return self.outcome.exit_code

    def to_dict(self) -> dict[str, Any]:
        """The gate document, JSON-ready."""
        document: dict[str, Any] = _plain(asdict(self))
        return document


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value

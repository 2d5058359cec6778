"""What optuna-dashboard shows of a ledger besides numbers and parameters: stages, combinations, curves, a note.

None of it is read again by sweeper. optuna-dashboard need not be installed: its notes are attributes of the study.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optuna.storages import BaseStorage, RDBStorage
from optuna.storages._rdb.models import TrialIntermediateValueModel
from sqlalchemy import insert

from sweeper.trial import TrialSpec

POINTS = 10
"""Of a learning curve at most: reading a ledger costs 0.1 ms for each, and a chart needs no more to show its shape."""

NOTE_VERSION, NOTE_TEXT = "dashboard:note_ver", "dashboard:note_str:0"
LONGEST = 2000
"""Characters of a note: optuna-dashboard keeps up to 2045 in one attribute."""

SIGNED = "*Written by sweeper; a note that you write in its place stays.*"


def labels(spec: TrialSpec) -> dict[str, str]:
    """User attributes by which trials can be told apart and filtered."""
    return {"stage": spec.stage.value, "combination": str(spec.combination)}


def guide(metric: str) -> str:
    """The note of a study that is being trained."""
    return (
        f"The value of a trial is its `{metric}` after the last epoch. Its attributes `stage` and `combination` say "
        "what it was for: `explore` tries settings, `widen` follows a best one beyond its range, `race` and `confirm` "
        "train finalists with fresh seeds, `keep` trains the pick once more. **The verdict rests on the test scores "
        "of `confirm` alone**, not on the best value of this study, which is that of the luckiest trial."
    )


def describe(storage: BaseStorage, study_id: int, text: str) -> None:
    """Set the note of the study, in Markdown, unless somebody has written one of their own."""
    known = storage.get_study_system_attrs(study_id)
    if not str(known.get(NOTE_TEXT, SIGNED)).endswith(SIGNED):
        return
    note = f"{text[: LONGEST - len(SIGNED) - 2]}\n\n{SIGNED}"
    if known.get(NOTE_TEXT) != note:
        storage.set_study_system_attr(study_id, NOTE_TEXT, note)
        storage.set_study_system_attr(study_id, NOTE_VERSION, int(known.get(NOTE_VERSION, 0)) + 1)


def add_curve(storage: BaseStorage, trial_id: int, curve: Sequence[float]) -> None:
    """Intermediate values of a trial, all in one statement; those that a pruner was told stay.

    Optuna's own way would be one query a value. In memory there is no dashboard, and nothing is written.
    """
    if not isinstance(storage, RDBStorage) or not curve:
        return
    model: Any = TrialIntermediateValueModel
    rows = []
    for step in steps(len(curve)):
        value, kind = model.intermediate_value_to_stored_repr(curve[step])
        rows.append({"trial_id": trial_id, "step": step, "intermediate_value": value, "intermediate_value_type": kind})
    storage.scoped_session().execute(insert(model).prefix_with("OR IGNORE"), rows)


def steps(epochs: int) -> list[int]:
    """Epochs to show, evenly spread, the last one among them."""
    shown = min(epochs, POINTS)
    return [(epochs * (number + 1)) // shown - 1 for number in range(shown)]

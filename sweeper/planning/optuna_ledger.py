"""The ledger: one Optuna study that holds every trial of every stage, written by the coordinator alone.

A trial gets its row, with its number, when it is handed out, and its values when it has ended. A row that is still
RUNNING when the ledger is opened belongs to a trial that died with its coordinator; it is planned again under the same
number and the same row is filled. So numbers agree in Optuna, in MLflow and in every report, and nothing is done twice.
"""

from __future__ import annotations

import functools
import math
import sqlite3
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import BaseStorage, InMemoryStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy.exc import SQLAlchemyError

from sweeper.errors import Problem, StorageError
from sweeper.planning import dashboard, rows
from sweeper.planning.distributions import distributions
from sweeper.planning.history import MemoryHistory
from sweeper.planning.ledger_file import let_go, one_transaction, sqlite_storage, storage_error
from sweeper.space import Space
from sweeper.trial import Cohort, Status, TrialEnded, TrialRecord, TrialSpec
from sweeper.verdict import Objective

SPEC, ENDED, CURVE, ENDED_AT = "spec", "ended", "curve", "ended_at"
FORGIVEN = "forgiven"
_STATES = {
    Status.COMPLETED: TrialState.COMPLETE,
    Status.DIVERGED: TrialState.COMPLETE,
    Status.PRUNED: TrialState.PRUNED,
    Status.FAILED: TrialState.FAIL,
    Status.CRASHED: TrialState.FAIL,
    Status.TIMED_OUT: TrialState.FAIL,
}

optuna.logging.set_verbosity(optuna.logging.ERROR)


class OptunaLedger:
    """A `protocols.Ledger`.

    Attributes:
        history: every finished trial.
        study: the Optuna study, for samplers and pruners.
        half_drawn: numbers of trials whose coordinator died while an Optuna sampler was drawing them.
    """

    def __init__(self, path: Path | None, name: str, *, space: Space, objective: Objective) -> None:
        """Open or create the ledger at `path`; None keeps it in memory.

        Raises:
            StorageError: the file cannot be written, is damaged, or comes from another version of Optuna.
        """
        self._path = path
        self._objective = objective
        self._distributions = distributions(space)
        self._name = name
        try:
            self._storage: BaseStorage = InMemoryStorage() if path is None else sqlite_storage(path)
            self._open()
        except (SQLAlchemyError, sqlite3.Error, OSError, RuntimeError, optuna.exceptions.StorageInternalError) as error:
            raise storage_error(path, error) from error

    def _open(self) -> None:
        direction = StudyDirection.MAXIMIZE if self._objective.maximize else StudyDirection.MINIMIZE
        self.study = optuna.create_study(
            storage=self._storage, study_name=self._name, direction=direction, load_if_exists=True
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            self.study.set_metric_names([self._objective.validation])
        self._study_id = self._storage.get_study_id_from_name(self._name)
        known = self.study.get_trials(deepcopy=False)
        self._rows = {row.number: row._trial_id for row in known}
        self.history = MemoryHistory(
            _record(row) for row in known if ENDED in row.user_attrs and row.state.is_finished()
        )
        self.history.forgive(self.notes.get(FORGIVEN, ()))
        begun = [row for row in known if not row.state.is_finished()]
        specs = [TrialSpec.from_dict(row.user_attrs[SPEC]) for row in begun if SPEC in row.user_attrs]
        self.history.waiting.update({spec.number: spec for spec in specs})
        self.half_drawn = [row.number for row in begun if SPEC not in row.user_attrs]

    def clear(self) -> None:
        """Begin anew, with nothing in it."""
        optuna.delete_study(study_name=self._name, storage=self._storage)
        self._open()

    @property
    def notes(self) -> Mapping[str, Any]:
        """What `note` wrote, in this run or an earlier one."""
        return self.study.user_attrs

    def note(self, key: str, value: Any) -> None:
        """Keep a JSON value about the whole study."""
        self.guarded(lambda: self.study.set_user_attr(key, value))

    def describe(self, text: str) -> None:
        """Have optuna-dashboard show this note, in Markdown, above what trials and stages mean."""
        note = f"{text}\n\n{dashboard.guide(self._objective.validation)}"
        self.guarded(lambda: dashboard.describe(self._storage, self._study_id, note))

    def forgive_failures(self) -> int:
        """Have every trial that failed tried again, under a new number; how many those are."""
        failed = [record.spec.number for record in self.history.records() if record.ended.status.is_failure]
        self.note(FORGIVEN, sorted({*self.notes.get(FORGIVEN, ()), *failed}))
        self.history.forgive(failed)
        return len(failed)

    def started(self, cohort: Cohort) -> None:
        """Give every trial of the cohort its row, all of them or none."""
        self.guarded(lambda: self._add_rows(cohort.trials))
        self.history.waiting.update({spec.number: spec for spec in cohort.trials})

    def ended(self, record: TrialRecord) -> None:
        """Fill the row of a finished trial; it is durable when this returns."""
        self.guarded(lambda: self._fill_row(record))
        self.history.record(record)

    def adopt(self, trial: optuna.Trial, spec: TrialSpec) -> None:
        """Make a trial that an Optuna sampler drew a trial of the plan."""
        for name, value in {SPEC: spec.to_dict(), **dashboard.labels(spec)}.items():
            self.guarded(functools.partial(trial.set_user_attr, name, value))
        self._rows[spec.number] = trial._trial_id
        self.history.waiting[spec.number] = spec

    @property
    def next_number(self) -> int:
        """The number that the next row will get."""
        return len(self._rows)

    def row(self, number: int) -> int:
        """The id that Optuna's storage has for a trial."""
        return self._rows[number]

    def close(self) -> None:
        """Let go of the file."""
        let_go(self._storage)

    def _add_rows(self, specs: Iterable[TrialSpec]) -> None:
        new = [spec for spec in specs if spec.number not in self._rows]
        if not new:
            return
        with one_transaction(self._storage):
            ids = rows.begin(self._storage, self._study_id, [self._template(spec) for spec in new])
        self._rows.update(zip((spec.number for spec in new), ids, strict=True))
        self._check_numbers(new[-1])

    def _template(self, spec: TrialSpec) -> FrozenTrial:
        """A row as it begins."""
        known = {name: self._distributions[name] for name in self._distributions if name in spec.params}
        return create_trial(
            state=TrialState.RUNNING,
            params={name: spec.params[name] for name in known},
            distributions=known,
            user_attrs={SPEC: spec.to_dict(), **dashboard.labels(spec)},
        )

    def _check_numbers(self, last: TrialSpec) -> None:
        """Rows and plan count alike as long as nobody else writes to the ledger."""
        number = self._storage.get_trial_number_from_id(self._rows[last.number])
        if number != last.number:
            cure = "another program has written to this ledger: run with --fresh"
            raise StorageError(
                Problem(str(self._path), f"trial {last.number} to be the next row", f"row {number}", cure)
            )

    def _fill_row(self, record: TrialRecord) -> None:
        row = self._rows[record.spec.number]
        curve = {name: list(values) for name, values in record.curve.items()}
        document = {ENDED: record.ended.to_dict(), CURVE: curve, ENDED_AT: record.ended_at}
        value = record.value(self._objective.validation)
        state = _STATES[record.ended.status]
        if state is TrialState.COMPLETE and (value is None or not math.isfinite(value)):
            state = TrialState.FAIL
        values = None if state is TrialState.FAIL or value is None else [value]
        with one_transaction(self._storage):
            rows.add_attributes(self._storage, {row: {ENDED: document}})
            dashboard.add_curve(self._storage, row, record.curve.get(self._objective.validation, ()))
            self._storage.set_trial_state_values(row, state, values)

    def guarded(self, write: Callable[[], Any]) -> None:
        """Do something with the storage; what goes wrong there is a `StorageError` with its cure."""
        try:
            write()
        except (SQLAlchemyError, sqlite3.Error, OSError, optuna.exceptions.StorageInternalError) as error:
            raise storage_error(self._path, error) from error


@dataclass(frozen=True)
class Stored:
    """What a ledger holds: every finished trial, and the notes about the whole study."""

    records: tuple[TrialRecord, ...]
    notes: Mapping[str, Any]


def stored(path: Path, name: str) -> Stored:
    """The content of a ledger, which is only read; somebody may be writing to it.

    Raises:
        StorageError: the file cannot be read.
    """
    storage: BaseStorage | None = None
    try:
        storage = sqlite_storage(path)
        study = optuna.load_study(study_name=name, storage=storage)
        trials = study.get_trials(deepcopy=False)
        notes = dict(study.user_attrs)
    except (SQLAlchemyError, sqlite3.Error, OSError, KeyError, RuntimeError) as error:
        raise storage_error(path, error) from error
    finally:
        let_go(storage)
    forgiven = set(notes.get(FORGIVEN, ()))
    ended = [row for row in trials if ENDED in row.user_attrs and row.state.is_finished()]
    return Stored(tuple(_record(row) for row in ended if row.number not in forgiven), notes)


def noting(path: Path, name: str, notes: Mapping[str, Any]) -> None:
    """Keep JSON values about a whole study, as `OptunaLedger.note` does, without what opening a ledger needs.

    Raises:
        StorageError: the file cannot be written.
    """
    storage: BaseStorage | None = None
    try:
        storage = sqlite_storage(path)
        study = optuna.load_study(study_name=name, storage=storage)
        for key, value in notes.items():
            study.set_user_attr(key, value)
    except (SQLAlchemyError, sqlite3.Error, OSError, KeyError, RuntimeError) as error:
        raise storage_error(path, error) from error
    finally:
        let_go(storage)


def _record(row: FrozenTrial) -> TrialRecord:
    document = row.user_attrs[ENDED]
    return TrialRecord(
        spec=TrialSpec.from_dict(row.user_attrs[SPEC]),
        ended=TrialEnded.from_dict(document[ENDED]),
        curve={name: tuple(values) for name, values in document[CURVE].items()},
        ended_at=document[ENDED_AT],
    )

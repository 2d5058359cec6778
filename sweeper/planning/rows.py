"""Parameters and attributes of many rows of the ledger in one statement; Optuna takes three queries for each.

Only what is a plain pair of key and value is written past Optuna; rows begin and end in its own hands. All of it inside
a transaction of the caller (`optuna_ledger`), and read back by Optuna alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from optuna.distributions import distribution_to_json
from optuna.storages import BaseStorage, RDBStorage
from optuna.storages._rdb.models import TrialParamModel, TrialUserAttributeModel
from optuna.trial import FrozenTrial
from sqlalchemy import insert


def begin(storage: BaseStorage, study_id: int, templates: list[FrozenTrial]) -> list[int]:
    """New rows like these, in their order; the ids that the storage gave them.

    Args:
        storage: with an open transaction, unless it is in memory.
        study_id: what the storage calls the study.
        templates: running, with parameters and user attributes.
    """
    if not isinstance(storage, RDBStorage):
        return [storage.create_new_trial(study_id, template) for template in templates]
    ids = [storage.create_new_trial(study_id) for _ in templates]
    rows = dict(zip(ids, templates, strict=True))
    _insert(storage, TrialParamModel, [param for row in rows.items() for param in _params(*row)])
    add_attributes(storage, {row: template.user_attrs for row, template in rows.items()})
    return ids


def add_attributes(storage: BaseStorage, rows: Mapping[int, Mapping[str, Any]]) -> None:
    """Give each row, by its id, these user attributes of JSON values; one that is there already is replaced."""
    pairs = [(row, key, value) for row, attributes in rows.items() for key, value in attributes.items()]
    if not isinstance(storage, RDBStorage):
        for row, key, value in pairs:
            storage.set_trial_user_attr(row, key, value)
        return
    values = [{"trial_id": row, "key": key, "value_json": json.dumps(value)} for row, key, value in pairs]
    _insert(storage, TrialUserAttributeModel, values)


def _params(row: int, template: FrozenTrial) -> list[dict[str, Any]]:
    return [
        {
            "trial_id": row,
            "param_name": name,
            "param_value": distribution.to_internal_repr(template.params[name]),
            "distribution_json": distribution_to_json(distribution),
        }
        for name, distribution in template.distributions.items()
    ]


def _insert(storage: RDBStorage, model: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        storage.scoped_session().execute(insert(model.__table__).prefix_with("OR REPLACE"), rows)

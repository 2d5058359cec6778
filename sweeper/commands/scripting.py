"""What a script of the pick is written from: the study, the trial that it repeats, and the model as Keras has it.

Keras is imported with this module: it says what the model is made of.
"""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

from sweeper.catalog import datasets
from sweeper.catalog.models import MODELS, resolve_model
from sweeper.catalog.preprocessing import Pixels, Table
from sweeper.commands.prepare import Prepared
from sweeper.registry import is_reference
from sweeper.report.script import Ingredients, script
from sweeper.report.script_data import Rows
from sweeper.seeds import derive
from sweeper.training.as_code import metric_code, model_code
from sweeper.training.contract import Recipe, recipe_for
from sweeper.training.metrics import metrics_for
from sweeper.training.process import configure
from sweeper.trial import TrialRecord


def written(study: Prepared, record: TrialRecord) -> tuple[str, tuple[str, ...]]:
    """The script that repeats a trial, and what it could not write out.

    Raises:
        ModelError: the model function does not keep its contract.
    """
    setup, info, spec = study.setup, study.data.info, record.spec
    configure(setup)
    build = resolve_model(setup.model, setup.folder)
    recipe = recipe_for(spec, build, setup.model, setup.model_options, info)
    model = model_code(recipe, spec.seeds.init)
    remarks = _remarks(study, model.obstacle)
    code = model.code or _called(study, recipe)
    made_of = Ingredients(
        study=study.config.name,
        record=record,
        setup=setup,
        rows=_rows(study, record),
        model=code,
        metrics=[metric_code(metric) for metric in metrics_for(setup.metrics, info.task)],
        order_seed=derive(spec.seeds.shuffle, "order"),
        remarks=remarks,
    )
    return script(made_of), remarks


def _remarks(study: Prepared, obstacle: str) -> tuple[str, ...]:
    found = []
    if obstacle:
        reference = MODELS.get(study.setup.model, study.setup.model)
        found.append(
            f"the model could not be written out, because {obstacle}: the script imports {reference} "
            f"from {study.setup.folder}"
        )
    if is_reference(study.config.data.name):
        found.append(f"the script imports {study.config.data.name} from {study.file.folder} for its rows")
    if _kind(study) == "own":
        found.append("the data set prepares its rows in a way of its own, which the script takes from there")
    return tuple(found)


def _called(study: Prepared, recipe: Recipe) -> str:
    """A call of the model function where its layers cannot be written out."""
    module, _, function = MODELS.get(study.setup.model, study.setup.model).partition(":")
    info: dict[str, Any] = {**vars(recipe.info), "task": recipe.info.task.value}
    return "\n".join(
        [
            f"sys.path.insert(0, {study.setup.folder!r})",
            f"from {module} import {function} as build",
            "from types import SimpleNamespace",
            "",
            f"info = SimpleNamespace(**{info!r})",
            f"model = build(info, **{dict(recipe.options)!r})",
        ]
    )


def _kind(study: Prepared) -> str:
    preparing = study.data.preprocessing
    if preparing is None:
        return "none"
    return "pixels" if isinstance(preparing, Pixels) else "table" if isinstance(preparing, Table) else "own"


def _rows(study: Prepared, record: TrialRecord) -> Rows:
    data, config = study.data, study.config.data
    preparing: Any = data.preprocessing
    columns = preparing.columns if isinstance(preparing, Table) else ()
    return Rows(
        name=config.name,
        options=config.options,
        folder=study.file.folder,
        info=data.info,
        preparing=_kind(study),
        maximum=preparing.maximum if isinstance(preparing, Pixels) else 255.0,
        columns=[vars(column) for column in columns],
        order=_source(datasets, "fixed_order"),
        order_seed=derive(datasets.SAMPLES),
        test_seed=derive(data.seed, "test"),
        validation_seed=derive(record.spec.seeds.split, "validation"),
        validation=data.validation_fraction,
        test=data.test_fraction,
        has_test=data.test is not None,
        has_groups=data.groups is not None,
        rows=len(data),
    )


def _source(module: ModuleType, function: str) -> str:
    return inspect.getsource(getattr(module, function)).rstrip()

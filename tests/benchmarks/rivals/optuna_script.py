"""The plain script: an Optuna objective that builds, compiles and fits, with or without MLflow's autolog.

Several processes share one study in SQLite, as Optuna's guide to parallel runs has it. A sampler hands out the trials
of the others. They are not enqueued: two processes that begin together take the same waiting trial from SQLite, and the
second to end it raises "Cannot tell a COMPLETE trial" (seen with Optuna 5.0).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mlflow
import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial
from rivals.fit_loop import train
from rivals.heats import Heat
from rivals.work import RATES, Job, Setting

Objective = Callable[[optuna.Trial], float]


class Given(optuna.samplers.BaseSampler):
    """Hands out the trials that it was given, one after the other."""

    def __init__(self, settings: Sequence[Setting]) -> None:
        self.waiting = iter(settings)
        self.setting = settings[0]

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """The next one."""
        self.setting = next(self.waiting)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Every parameter is asked for by itself."""
        return {}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Nothing is drawn."""
        return {}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """The value that was given."""
        return getattr(self.setting, param_name)


def untracked(job: Job, heat: Heat) -> None:
    """Without MLflow."""
    optimize(job, heat, lambda trial: fit(trial, job, heat))


def autolog(job: Job, heat: Heat, **options: Any) -> None:
    """With `mlflow.tensorflow.autolog()`, a child run a trial."""
    mlflow.set_tracking_uri(f"sqlite:///{job.folder}/mlflow.db")
    with job.alone():
        mlflow.set_experiment("digits")
    mlflow.tensorflow.autolog(**options)
    runs: list[str] = []

    def objective(trial: optuna.Trial) -> float:
        with mlflow.start_run(nested=True) as run:
            runs.append(run.info.run_id)
            score = fit(trial, job, heat)
            mlflow.log_params(trial.params)
            return score

    with mlflow.start_run():
        optimize(job, heat, objective)
    heat.end()
    check_logged(runs, models=options.get("log_models", True))


def autolog_without_models(job: Job, heat: Heat) -> None:
    """With `mlflow.tensorflow.autolog(log_models=False)`."""
    autolog(job, heat, log_models=False)


def optimize(job: Job, heat: Heat, objective: Objective) -> None:
    """A warm-up in a study of its own, then this process' share of the trials."""
    storage = f"sqlite:///{job.folder}/optuna.db"
    with job.alone():
        warm_up, study = (
            optuna.create_study(
                storage=storage,
                sampler=Given(job.settings),
                study_name=name,
                direction="maximize",
                load_if_exists=True,
            )
            for name in (f"warm-up {job.process}", "digits")
        )
    warm_up.optimize(objective, n_trials=1)
    heat.line_up()
    study.optimize(objective, n_trials=len(job.settings))


def fit(trial: optuna.Trial, job: Job, heat: Heat) -> float:
    """The objective: the validation accuracy of a model."""
    setting = Setting(
        trial.suggest_categorical("activation", job.work.activations),
        trial.suggest_categorical("optimizer", job.work.optimizers),
        trial.suggest_float("learning_rate", *RATES, log=True),
    )
    history = train(job, setting)
    score = history.history["val_accuracy"][-1]
    heat.note(setting, len(history.epoch), score)
    return float(score)


def check_logged(runs: Sequence[str], *, models: bool) -> None:
    """Hold autolog to its word: it hides its own errors, and a rival that logs less would be faster."""
    for run_id in runs:
        run = mlflow.MlflowClient().get_run(run_id)
        has_model = bool(run.outputs and run.outputs.model_outputs)
        assert "val_accuracy" in run.data.metrics, f"autolog has logged no val_accuracy of run {run_id}"
        assert has_model == models, f"autolog has logged {'a' if has_model else 'no'} model of run {run_id}"

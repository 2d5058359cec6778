"""study.yaml as types: what may stand where, with every default. Types only, no behaviour.

Words are those of W&B sweeps where they have one (`parameters`, `values`, `value`, `min`, `max`, `metric.goal`).
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Union

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema

Scalar = Union[bool, int, float, str]
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _seconds(value: Any) -> Any:
    if isinstance(value, str):
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", value.strip())
        if not match:
            raise ValueError("a duration such as 90s, 10m or 2h")
        return float(match[1]) * _UNITS[match[2]]
    return value


def _share(value: Any) -> Any:
    if isinstance(value, str):
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", value.strip())
        if not match:
            raise ValueError("a share such as 20% or 0.2")
        return float(match[1]) / 100
    return value


_DURATION_SCHEMA = {
    "description": "Seconds, or a number with s, m, h or d.",
    "anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "pattern": r"^\d+(\.\d+)?\s*[smhd]$"}],
}
_SHARE_SCHEMA = {
    "description": "A share, such as 0.2 or 20%.",
    "anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "string", "pattern": r"^\d+(\.\d+)?\s*%$"}],
}
Seconds = Annotated[float, Field(gt=0), BeforeValidator(_seconds), WithJsonSchema(_DURATION_SCHEMA)]
Share = Annotated[float, Field(ge=0, le=1), BeforeValidator(_share), WithJsonSchema(_SHARE_SCHEMA)]
Count = Annotated[int, Field(ge=1, strict=True)]


class Model(BaseModel):
    """Closed and frozen: an unknown key is an error, a value never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class OpenModel(BaseModel):
    """Known keys are checked, further ones are options of what `name` names."""

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)

    @property
    def options(self) -> dict[str, Any]:
        """The further keys."""
        return dict(self.__pydantic_extra__ or {})


class DataConfig(OpenModel):
    """Which data. Further keys are options of the loader (`path`, `target`, ...)."""

    name: str = Field(
        min_length=1,
        description="digits, breast_cancer, wine, diabetes, iris, keras:mnist, csv, parquet, npz, images, "
        "or module:function beside the study file.",
    )
    validation: float = Field(0.2, gt=0, lt=1, description="Share of all rows for validation.")
    test: float = Field(0.2, ge=0, lt=1, description="Share of all rows that stays sealed until confirmation.")


class ModelConfig(OpenModel):
    """Which model. Further keys are keyword arguments of the model function."""

    name: str = Field("mlp", min_length=1, description="mlp, cnn, lstm, or module:function beside the study file.")


class MetricConfig(Model):
    """What combinations are compared by."""

    name: str | None = Field(None, description="accuracy, loss, auc, f1, mae, rmse, r2, ...; default: by task.")
    goal: Literal["maximize", "minimize"] | None = Field(None, description="Default: what the metric implies.")
    epsilon: float | None = Field(
        None,
        gt=0,
        description="Smallest difference that matters, in the metric's unit; default 0.003 for shares, "
        "1 % of the best score for losses.",
    )
    tie_break: str | None = Field("loss", description="Metric that decides where the first is at its ceiling.")


class ParameterSpec(Model):
    """Values of a parameter, and when they hold."""

    values: list[Any] | None = Field(None, min_length=1, description="Any of these.")
    value: Any = Field(None, description="This and nothing else.")
    min: Union[int, float, None] = Field(None, description="Lower end, included.")
    max: Union[int, float, None] = Field(None, description="Upper end, included.")
    scale: Literal["linear", "log"] | None = Field(None, description="Default: log for learning_rate, else linear.")
    when: dict[str, Union[Scalar, list[Scalar]]] | None = Field(
        None, description="Only where these parameters have one of these values."
    )


def _one_or_several(specs: Any) -> str:
    return "several specs" if isinstance(specs, list) else "one spec"


Specs = Annotated[
    Union[Annotated[ParameterSpec, Tag("one spec")], Annotated[list[ParameterSpec], Tag("several specs")]],
    Discriminator(_one_or_several),
]
"""Told apart by their shape, so that a fault in one is not reported as a fault in the other too."""


class TrainingConfig(Model):
    """How every trial is trained."""

    epochs: Count = Field(30, le=100_000, description="Passes over the training rows.")
    batch_size: Count = Field(32, le=1_000_000, description="Examples a step.")
    schedule: Literal["constant", "cosine", "linear"] = Field("cosine", description="Of the learning rate, every step.")
    loss: str = Field("auto", description="Keras name; auto: what the task implies.")
    mixed_precision: bool = False
    deterministic: bool = Field(False, description="Refuse nondeterministic GPU kernels (slower).")


class SearchConfig(Model):
    """How settings are explored."""

    strategy: Literal["balanced", "tpe", "gp", "cmaes", "random", "qmc", "grid"] = Field(
        "balanced", description="balanced: equal effort for every combination, the only one that supports a claim."
    )
    points: Count | None = Field(
        None, le=4096, description="Settings a combination (balanced, grid: per range); default 8."
    )
    trials: Count | None = Field(
        None, le=1_000_000, description="Trials in all, for the strategies of Optuna; default 100."
    )
    pruner: Literal["none", "median", "hyperband"] = "none"
    seed: Annotated[int, Field(ge=0, strict=True)] = 0


class ConfirmConfig(Model):
    """How the finalists are confirmed."""

    finalists: Union[Literal["auto"], Annotated[int, Field(ge=2, le=20, strict=True)]] = "auto"
    seeds: Annotated[int, Field(ge=0, le=1000, strict=True)] = Field(40, description="At most; 0: no confirmation.")
    looks: list[Annotated[int, Field(ge=2, strict=True)]] | None = Field(
        None, description="After how many seeds to judge; default every 8."
    )
    alpha: float = Field(0.05, gt=0, lt=0.5, description="Chance of a wrong verdict that is accepted.")


class BudgetConfig(Model):
    """What a study may cost."""

    time: Seconds | None = Field(
        None, description="Stop handing out trials after this long; the study can go on later."
    )
    per_trial: Seconds = Field(600.0, description="A trial that takes longer is ended as TIMED_OUT.")
    failures: Share = Field(0.2, description="Give up when more than this share of the trials failed.")


class EngineConfig(Model):
    """Where trials run."""

    kind: Literal["processes", "inline"] = "processes"
    workers: Union[Literal["auto"], Count] = "auto"
    fuse: Literal["auto", "stacked", "graph", "off"] = Field(
        "auto",
        description="How a cohort is trained: together, one by one in a compiled epoch, by model.fit; auto tries.",
    )


class TrackingConfig(Model):
    """Where MLflow writes."""

    uri: str | None = Field(None, description="Default: MLFLOW_TRACKING_URI, else mlruns/mlflow.db.")
    experiment: str | None = Field(None, description="Default: the name of the study.")
    children: Literal["all", "finalists", "best-per-combination"] = Field(
        "all", description="Which trials get a run of their own below the study's; trials.csv always has all."
    )
    register_as: str | None = Field(
        None,
        alias="register",
        min_length=1,
        max_length=200,
        pattern=r"^[^/:]+$",
        description="Name in MLflow's model registry under which the kept model of a finished study is registered.",
    )


class KeepConfig(Model):
    """What is kept."""

    models: Literal["winner", "none"] = "winner"


class GateConfig(Model):
    """When a scheduled check fails."""

    threshold: float | None = Field(None, description="What the score must reach with 95 % confidence.")
    margin: float | None = Field(None, gt=0, description="Smallest drop that fails; default: metric.epsilon.")
    baseline: str | None = Field(
        None, description="File of `sweeper baseline set`, or mlflow:latest, or mlflow:<run id>."
    )


class StudyConfig(Model):
    """A study file."""

    name: str = Field(min_length=1, max_length=200, description="Of the study; also of the MLflow experiment.")
    description: str = ""
    data: DataConfig
    model: ModelConfig = ModelConfig()
    metric: MetricConfig = MetricConfig()
    compare: list[str] = Field(["activation", "optimizer"], min_length=1, description="What is compared.")
    parameters: dict[str, Specs] = Field(
        default_factory=dict, description="What is searched; further names go to the optimizer or the model function."
    )
    training: TrainingConfig = TrainingConfig()
    search: SearchConfig = SearchConfig()
    confirm: ConfirmConfig = ConfirmConfig()
    budget: BudgetConfig = BudgetConfig()
    engine: EngineConfig = EngineConfig()
    tracking: TrackingConfig = TrackingConfig()
    keep: KeepConfig = KeepConfig()
    gate: GateConfig | None = None
    trainer: str | None = Field(None, description="module:function that replaces Keras training.")


DEFAULT_ACTIVATIONS = ("relu", "sigmoid", "tanh")
DEFAULT_OPTIMIZERS = ("sgd", "adam", "rmsprop")

FREE_KEYS = ("description", "engine", "tracking", "budget", "keep", "gate")
"""Keys that may change between runs of one study: they change what a run costs, never a number of it."""

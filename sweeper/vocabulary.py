"""The names a study may use: facts about Keras 3.15 as plain tables, so that checking a study imports no framework.

A test compares every table with the installed Keras.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sweeper.data import Task

ACTIVATIONS: tuple[str, ...] = tuple(
    """celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu linear
    log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus
    sparse_sigmoid sparsemax squareplus swish tanh tanh_shrink""".split()
)
"""Every name that `keras.activations.get` knows, but `threshold`, which cannot be called without two more arguments."""


@dataclass(frozen=True)
class Optimizer:
    """An optimizer of `keras.optimizers`.

    Attributes:
        keras_class: its name there.
        low, high: default range of learning rates, four decades around where it is used. Sources: Choi et al. 2019
            (arXiv 1910.05446) and a pilot on digits for SGD, Adam and RMSprop; Chen et al. 2023 (arXiv 2302.06675)
            for Lion's tenfold smaller rates; Keras' own documentation for Adadelta, whose paper uses 1.
        default: Keras' own default learning rate.
        arguments: what its constructor takes besides those all optimizers take.
    """

    keras_class: str
    low: float
    high: float
    default: float
    arguments: tuple[str, ...]


OPTIMIZERS: Mapping[str, Optimizer] = {
    "adadelta": Optimizer("Adadelta", 1e-2, 1e2, 1e-3, ("rho", "epsilon")),
    "adafactor": Optimizer(
        "Adafactor", 1e-5, 1e-1, 1e-3, ("beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold", "relative_step")
    ),
    "adagrad": Optimizer("Adagrad", 1e-3, 1e1, 1e-3, ("initial_accumulator_value", "epsilon")),
    "adam": Optimizer("Adam", 1e-5, 1e-1, 1e-3, ("beta_1", "beta_2", "epsilon", "amsgrad")),
    "adamax": Optimizer("Adamax", 1e-5, 1e-1, 1e-3, ("beta_1", "beta_2", "epsilon")),
    "adamw": Optimizer("AdamW", 1e-5, 1e-1, 1e-3, ("beta_1", "beta_2", "epsilon", "amsgrad")),
    "ftrl": Optimizer(
        "Ftrl",
        1e-3,
        1e1,
        1e-3,
        (
            "learning_rate_power",
            "initial_accumulator_value",
            "l1_regularization_strength",
            "l2_regularization_strength",
            "l2_shrinkage_regularization_strength",
            "beta",
        ),
    ),
    "lamb": Optimizer("Lamb", 1e-5, 1e-1, 1e-3, ("beta_1", "beta_2", "epsilon")),
    "lion": Optimizer("Lion", 1e-6, 1e-2, 1e-3, ("beta_1", "beta_2")),
    "muon": Optimizer(
        "Muon",
        1e-4,
        1.0,
        1e-3,
        ("adam_beta_1", "adam_beta_2", "adam_weight_decay", "epsilon", "momentum", "ns_steps", "nesterov", "rms_rate"),
    ),
    "nadam": Optimizer("Nadam", 1e-5, 1e-1, 1e-3, ("beta_1", "beta_2", "epsilon")),
    "rmsprop": Optimizer("RMSprop", 1e-5, 1e-1, 1e-3, ("rho", "momentum", "epsilon", "centered")),
    "schedulefreeadamw": Optimizer(
        "ScheduleFreeAdamW", 1e-5, 1e-1, 2.5e-3, ("beta_1", "beta_2", "epsilon", "warmup_steps")
    ),
    "sgd": Optimizer("SGD", 1e-3, 1e1, 1e-2, ("momentum", "nesterov")),
}

SGD_WITH_MOMENTUM = (1e-4, 1.0)
"""Default range of learning rates for SGD where the study sets a momentum: the step grows by 1 / (1 - momentum)."""

COMMON_OPTIMIZER_ARGUMENTS: tuple[str, ...] = (
    "weight_decay",
    "clipnorm",
    "clipvalue",
    "global_clipnorm",
    "use_ema",
    "ema_momentum",
    "ema_overwrite_frequency",
    "loss_scale_factor",
    "gradient_accumulation_steps",
)
"""What every Keras optimizer takes."""

TRAINING_PARAMETERS: tuple[str, ...] = ("activation", "optimizer", "learning_rate", "batch_size")
"""Parameters that sweeper itself understands; the rest goes to the optimizer or to the model function."""


@dataclass(frozen=True)
class Metric:
    """A metric by which combinations can be compared.

    Attributes:
        maximize: whether more is better.
        tasks: where it has a meaning.
        epsilon: smallest difference that matters by default; a share of the leader's score if `relative`.
    """

    maximize: bool
    tasks: tuple[Task, ...]
    epsilon: float
    relative: bool = False


_CLASSES = (Task.BINARY, Task.MULTICLASS)
_ALL = (Task.BINARY, Task.MULTICLASS, Task.REGRESSION)

METRICS: Mapping[str, Metric] = {
    "accuracy": Metric(True, _CLASSES, 0.003),
    "loss": Metric(False, _ALL, 0.01, relative=True),
    "auc": Metric(True, (Task.BINARY,), 0.003),
    "f1": Metric(True, (Task.BINARY,), 0.003),
    "precision": Metric(True, (Task.BINARY,), 0.003),
    "recall": Metric(True, (Task.BINARY,), 0.003),
    "top_5_accuracy": Metric(True, (Task.MULTICLASS,), 0.003),
    "mae": Metric(False, (Task.REGRESSION,), 0.01, relative=True),
    "mse": Metric(False, (Task.REGRESSION,), 0.01, relative=True),
    "rmse": Metric(False, (Task.REGRESSION,), 0.01, relative=True),
    "r2": Metric(True, (Task.REGRESSION,), 0.003),
}

LOSSES: Mapping[str, tuple[Task, ...]] = {
    "auto": _ALL,
    "binary_crossentropy": (Task.BINARY,),
    "binary_focal_crossentropy": (Task.BINARY,),
    "hinge": (Task.BINARY,),
    "squared_hinge": (Task.BINARY,),
    "sparse_categorical_crossentropy": (Task.MULTICLASS,),
    "mse": (Task.REGRESSION,),
    "mae": (Task.REGRESSION,),
    "huber": (Task.REGRESSION,),
    "log_cosh": (Task.REGRESSION,),
}

AUTO_LOSS: Mapping[Task, str] = {
    Task.BINARY: "binary_crossentropy",
    Task.MULTICLASS: "sparse_categorical_crossentropy",
    Task.REGRESSION: "mse",
}

POWER_OF_UNIT: Mapping[str, int] = {"mae": 1, "rmse": 1, "mse": 2}
"""Metrics that carry the unit of the target, and to which power."""

SCHEDULES: tuple[str, ...] = ("constant", "cosine", "linear")

TABULAR = ("csv", "parquet")
FILE_DATA = (*TABULAR, "npz", "images")
DATA_TASKS: Mapping[str, Task] = {
    "digits": Task.MULTICLASS,
    "breast_cancer": Task.BINARY,
    "wine": Task.MULTICLASS,
    "diabetes": Task.REGRESSION,
    "iris": Task.MULTICLASS,
    "keras:mnist": Task.MULTICLASS,
    "keras:fashion_mnist": Task.MULTICLASS,
    "keras:cifar10": Task.MULTICLASS,
    "keras:cifar100": Task.MULTICLASS,
    "keras:imdb": Task.BINARY,
    "keras:reuters": Task.MULTICLASS,
    "keras:boston_housing": Task.REGRESSION,
    "keras:california_housing": Task.REGRESSION,
}
"""Built-in data sets; files (`csv`, `parquet`, `npz`, `images`) and `module:function` tell their task when loaded."""

DATA_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "csv": ("path", "target", "task", "drop", "groups", "delimiter", "decimal"),
    "parquet": ("path", "target", "task", "drop", "groups"),
    "npz": ("path", "x", "y", "x_test", "y_test", "groups", "task"),
    "images": ("path", "size", "color"),
    "keras:imdb": ("vocabulary", "length", "samples"),
    "keras:reuters": ("vocabulary", "length", "samples"),
}
"""Options besides `name`, `validation` and `test`; other built-in data sets take `samples` (use the first n rows)."""

MODEL_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "mlp": ("units", "dropout", "batch_norm", "kernel_initializer", "l2"),
    "cnn": ("filters", "kernel_size", "units", "dropout", "batch_norm", "kernel_initializer", "l2"),
    "lstm": ("units", "dense_units", "dropout", "embedding", "recurrent_dropout", "kernel_initializer"),
}
"""Keyword arguments of the built-in models besides `activation`."""


def optimizer_arguments(optimizer: str) -> frozenset[str]:
    """Every argument that an optimizer takes besides the learning rate."""
    return frozenset(OPTIMIZERS[optimizer].arguments) | frozenset(COMMON_OPTIMIZER_ARGUMENTS)


ALL_OPTIMIZER_ARGUMENTS: frozenset[str] = frozenset().union(*(optimizer_arguments(name) for name in OPTIMIZERS))

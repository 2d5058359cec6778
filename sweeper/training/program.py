"""A compiled model that trials begin anew in: what it is made of, and what a new one would hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar

import keras
import numpy as np

from sweeper.data import Array, Part, Task
from sweeper.errors import ModelError
from sweeper.setup import TrainerSetup
from sweeper.training.contract import Recipe
from sweeper.training.feed import Feed, model_rows, steps_of
from sweeper.training.hidden_state import hidden_state
from sweeper.training.initial import Sample, Sources, Start, learned, learned_weights
from sweeper.training.metrics import Logs, loss_for, metrics_for
from sweeper.training.rates import Rate, optimizer_for
from sweeper.trial import TrialSpec

OnEpoch = Callable[[int, Logs, bool], bool]
"""(epoch, metrics of it, whether every weight is finite) -> whether to go on."""


class Loop(Protocol):
    """Runs epochs over a compiled model, without changing anything but its variables."""

    def train(self, feed: Feed, shuffle: int, epochs: int, on_epoch: OnEpoch) -> None:
        """Train until `epochs` are over or `on_epoch` says no; batches in the order that seed `shuffle` gives."""

    def evaluate(self, part: Part) -> Logs:
        """Loss and metrics on rows as `model_rows` gives them."""


L = TypeVar("L")

OptimizerVariant = Callable[[type[Any]], type[Any]]


class Built:
    """A model that was just built under a seed, and a twin of it under the next seed.

    Where nothing ever writes to their variables, programs that differ in the optimizer share them.

    Attributes:
        activation_bytes: rows of a batch -> what a forward pass computes on them, as far as `memory` has asked.
    """

    def __init__(self, recipe: Recipe, seed: int) -> None:
        self.recipe, self.seed = recipe, seed
        self.model = recipe.fresh(seed)
        self.activation_bytes: dict[int, int] = {}
        self._hidden: tuple[str | None] | None = None

    @cached_property
    def twin(self) -> keras.Model:
        """The same layers, other draws."""
        return self.recipe.fresh(self.seed + 1)

    @cached_property
    def sources(self) -> Sources | None:
        """Where the values of the variables come from, if that can be told."""
        return learned_weights(Sample(self.seed, self.model), Sample(self.seed + 1, self.twin))

    def hidden_state(self, program: Program[Any]) -> str | None:
        """Why a program of this model cannot serve a second trial; asked of the first, with whose optimizer it is."""
        if self._hidden is None:
            self._hidden = (program.hidden_state(),)
        return self._hidden[0]

    @property
    def size_bytes(self) -> int:
        """Of the variables of both."""
        return 2 * _bytes(self.model.variables)


class Program(Generic[L]):
    """A compiled model, its optimizer and its loop.

    Attributes:
        model: holds the weights, during and after a trial that trains in it.
        optimizer: built for the trainable variables of the model.
        recipe: how the model was made.
        rate: the learning rate of the optimizer.
        batch_size: rows of a step.
        averages: whether the optimizer puts an average in the place of the weights after the last epoch.
        activation_bytes: that of what was built.
    """

    def __init__(
        self,
        built: Built,
        spec: TrialSpec,
        setup: TrainerSetup,
        make_loop: MakeLoop[L],
        variant: OptimizerVariant,
    ) -> None:
        self.recipe, self.activation_bytes = built.recipe, built.activation_bytes
        self._setup, self._params, self._variant = setup, spec.params, variant
        self.rate = Rate(setup.schedule)
        self.batch_size = batch_size_of(spec, setup)
        self.model = built.model
        self._state = list(self.model.variables)
        self.optimizer = self._compiled(self.model)
        self._start = _values(self.optimizer.variables)
        self.averages = bool(spec.params.get("use_ema", False))
        self.loop = make_loop(self)
        self._starts: Start | None = None
        self._framework_too = True
        self._start_is_constant = False

    def begin(self, spec: TrialSpec, train_rows: int) -> Program[L]:
        """Set learning rate and number of steps for a trial."""
        self.rate.set(float(spec.params["learning_rate"]), self.steps(spec, train_rows))
        return self

    def steps(self, spec: TrialSpec, train_rows: int) -> int:
        """Of a whole trial."""
        return steps_of(train_rows, self.batch_size) * spec.epochs

    @property
    def model_key(self) -> str:
        """Equal for two programs if their models, losses and metrics compute the same from the same values."""
        options = sorted(self.recipe.options.items())
        return repr((self.recipe.info, options, self._params.get("loss_scale_factor"), self._shapes()))

    @property
    def optimizer_key(self) -> str:
        """Equal for two programs if their optimizers do the same with the same values."""
        options = sorted((name, value) for name, value in self.recipe.options.items() if name != "activation")
        params = [(name, value) for name, value in shared(self._params) if name != "activation"]
        return repr((self.recipe.info, options, params, self._shapes()))

    def _shapes(self) -> list[tuple[int, ...]]:
        return [tuple(variable.shape) for variable in self._state]

    def hidden_state(self) -> str | None:
        """Why this program cannot serve a second trial, if it cannot."""
        own = [*self._state, *self.model.optimizer.variables, *self.rate.variables]
        own += [variable for metric in self.model.metrics for variable in metric.variables]
        return hidden_state(self.model, self.recipe.info, own)

    def learn(self, built: Built) -> None:
        """Find out how to begin anew at little cost, while the model still holds what it was built with."""
        if built.sources is not None:
            slots = self.optimizer.variables, self._compiled(built.twin).variables
            samples = Sample(built.seed, self.model), Sample(built.seed + 1, built.twin)
            self._starts = learned(built.sources, samples, slots)
        if self._starts is None:
            self._learn_to_build(built.seed)

    def _learn_to_build(self, seed: int) -> None:
        """Find out what a newly built model may leave out, by doing without it and comparing."""
        twin = self.recipe.fresh(seed, framework_too=False)
        self._framework_too = not _same(_values(twin.variables), _values(self._state))
        for variable in twin.trainable_variables:
            variable.assign(variable + 1)
        self._start_is_constant = _same(_values(self._compiled(twin).variables), self._start)

    def start(self, seed: int, *, framework_too: bool = False) -> tuple[list[Array], list[Array]]:
        """Values of every variable of a newly built model and of its optimizer.

        Raises:
            ModelError: the model function gives models of different structure for different seeds.
        """
        if self._starts is not None:
            return self._starts.values(seed)
        fresh = self.recipe.fresh(seed, framework_too=framework_too or self._framework_too)
        if [v.shape for v in fresh.variables] != [v.shape for v in self._state]:
            raise ModelError.at(
                f"model {self.recipe.name}", "the same layers whatever the seed", "other shapes of the weights"
            )
        weights = _values(fresh.variables)
        if self._start_is_constant:
            return weights, self._start
        return weights, _values(self._compiled(fresh).variables)

    def refill(self, seed: int, *, framework_too: bool) -> None:
        """Every variable as a newly built model and optimizer would have it."""
        weights, slots = self.start(seed, framework_too=framework_too)
        _assign(self._state, weights)
        _assign(self.optimizer.variables, slots)

    def copy(self, seed: int, values: Sequence[Any] | None = None) -> keras.Model:
        """An uncompiled model with these values of its variables, or with those that the program holds now."""
        model = self.recipe.fresh(seed)
        _assign(model.variables, _values(self._state) if values is None else values)
        return model

    @property
    def built_by_refill(self) -> int:
        """How many variables a refill makes, to throw them away again."""
        if self._starts is not None:
            return 0
        return len(self._state) + (0 if self._start_is_constant else len(self._start))

    @property
    def size_bytes(self) -> int:
        """Of the variables of model and optimizer."""
        return _bytes([*self._state, *self.optimizer.variables])

    def _compiled(self, model: keras.Model) -> Any:
        """A new optimizer of this program for a model, which also gets loss and metrics if it has none yet."""
        optimizer = optimizer_for(self._params, self.rate, self._variant)
        if not model.compiled:
            task = self.recipe.info.task
            model.compile(
                optimizer=optimizer,
                loss=loss_for(self._setup.loss, task),
                metrics=metrics_for(self._setup.metrics, task),
                jit_compile=False,  # slower on a CPU for models this small, and seconds to compile
            )
            if type(model).compute_metrics is keras.Model.compute_metrics:
                self._make_metrics(model)
        optimizer.build(model.trainable_variables)
        return optimizer

    def _make_metrics(self, model: keras.Model) -> None:
        """Keras makes the variables of metrics at their first update; a reset traced before would reset nothing."""
        info = self.recipe.info
        predicted = np.zeros((1, info.output_units), np.float32)
        targets = model_rows(
            Part(np.zeros((1, 1)), np.zeros(1 if info.task is Task.MULTICLASS else predicted.shape)), info
        )
        model.compute_metrics(None, targets.y, predicted)
        model.reset_metrics()


MakeLoop = Callable[[Program[L]], L]
"""Program with a compiled model -> loop."""


def batch_size_of(spec: TrialSpec, setup: TrainerSetup) -> int:
    """The trial's own, or that of the study."""
    return int(spec.params.get("batch_size", setup.batch_size))


def shared(params: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What trials that are trained together have in common: all but the learning rate."""
    return sorted((name, value) for name, value in params.items() if name != "learning_rate")


def _bytes(variables: Sequence[Any]) -> int:
    return sum(4 * int(np.prod(variable.shape)) for variable in variables)


def _values(variables: Sequence[Any]) -> list[Array]:
    return [np.array(variable.numpy()) for variable in variables]


def _same(some: Sequence[Array], others: Sequence[Array]) -> bool:
    return len(some) == len(others) and all(map(np.array_equal, some, others))


def _assign(variables: Sequence[Any], values: Sequence[Any]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)

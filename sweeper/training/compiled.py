"""Compiled models, kept and refilled: a trial that finds its program compiled starts from fresh weights in it.

A new Keras model per trial costs most of a second of tracing and leaves some 7 MB behind that neither `clear_session`
nor the garbage collector gets back (keras#17458). So a model is compiled once for all trials that differ only in
learning rate, seeds, split and epochs, and every variable that training changes is set to what a newly built model and
optimizer would have (`initial`; where that cannot be told, the model function runs again under the trial's seed). What
a training step uses beyond those variables (`hidden_state`) cannot be reset; a program with such a step serves one
trial.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

import keras
import numpy as np

from sweeper.data import Array, Part, Task
from sweeper.errors import ModelError
from sweeper.setup import TrainerSetup
from sweeper.training.contract import Build, Recipe, recipe_for
from sweeper.training.feed import Feed, model_rows, steps_of
from sweeper.training.hidden_state import hidden_state
from sweeper.training.initial import Sample, Start, learned
from sweeper.training.metrics import Logs, loss_for, metrics_for
from sweeper.training.rates import Rate, optimizer_for
from sweeper.trial import TrialSpec

KEPT_PROGRAMS = 16
"""More combinations than most studies compare; tracing one again costs as much as several trials of a small model."""

KEPT_BYTES = 256 * 2**20
"""Of variables in kept programs; the one in use may alone be larger."""

BUILT_BETWEEN_CLEARINGS = 1000
"""Variables. TensorFlow caches kernels for every variable ever made, 30 to 50 kB each; emptying that cache costs 0.14 s
at the next step of each kept program."""

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


class Program(Generic[L]):
    """A compiled model, its optimizer and its loop.

    Attributes:
        model: holds the weights, during and after a trial that trains in it.
        recipe: how it was made.
        rate: the learning rate of its optimizer.
        batch_size: rows of a step.
        averages: whether the optimizer puts an average in the place of the weights after the last epoch.
    """

    def __init__(
        self,
        recipe: Recipe,
        spec: TrialSpec,
        setup: TrainerSetup,
        make_loop: MakeLoop[L],
        variant: OptimizerVariant,
    ) -> None:
        self.recipe = recipe
        self._setup, self._params, self._variant = setup, spec.params, variant
        self.rate = Rate(setup.schedule)
        self.batch_size = batch_size_of(spec, setup)
        self.model = recipe.fresh(spec.seeds.init)
        self._state = list(self.model.variables)
        self._compile(self.model)
        self._start = _values(self.model.optimizer.variables)
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

    def learn(self, seed: int) -> None:
        """Find out how to begin anew at little cost, right after the program was made under `seed`."""
        twin = self.recipe.fresh(seed + 1)
        self._compile(twin)
        self._starts = learned(
            Sample(seed, self.model, self.model.optimizer.variables),
            Sample(seed + 1, twin, twin.optimizer.variables),
        )
        if self._starts is None:
            self._learn_to_build(seed)

    def _learn_to_build(self, seed: int) -> None:
        """Find out what a newly built model may leave out, by doing without it and comparing."""
        twin = self.recipe.fresh(seed, framework_too=False)
        self._framework_too = not _same(_values(twin.variables), _values(self._state))
        for variable in twin.trainable_variables:
            variable.assign(variable + 1)
        self._compile(twin)
        self._start_is_constant = _same(_values(twin.optimizer.variables), self._start)

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
        self._compile(fresh)
        return weights, _values(fresh.optimizer.variables)

    def refill(self, seed: int, *, framework_too: bool) -> None:
        """Every variable as a newly built model and optimizer would have it."""
        weights, slots = self.start(seed, framework_too=framework_too)
        _assign(self._state, weights)
        _assign(self.model.optimizer.variables, slots)

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
        return sum(4 * int(np.prod(v.shape)) for v in [*self._state, *self.model.optimizer.variables])

    def _compile(self, model: keras.Model) -> None:
        task = self.recipe.info.task
        model.compile(
            optimizer=optimizer_for(self._params, self.rate, self._variant),
            loss=loss_for(self._setup.loss, task),
            metrics=metrics_for(self._setup.metrics, task),
            jit_compile=False,  # slower on a CPU for models this small, and seconds to compile
        )
        model.optimizer.build(model.trainable_variables)
        if type(model).compute_metrics is keras.Model.compute_metrics:
            self._make_metrics(model)

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


class Programs(Generic[L]):
    """The programs used last, ready for the next trial.

    Args:
        variant: what to make of the class of an optimizer.
        kept: how many at most.
        clearing: variables built until TensorFlow is made to forget their kernels.
    """

    def __init__(
        self,
        setup: TrainerSetup,
        build: Build,
        make_loop: MakeLoop[L],
        *,
        variant: OptimizerVariant = lambda kind: kind,
        kept: int = KEPT_PROGRAMS,
        clearing: int = BUILT_BETWEEN_CLEARINGS,
    ) -> None:
        self._setup, self._build, self._make_loop, self._variant = setup, build, make_loop, variant
        self._most, self._clearing = kept, clearing
        self._kept: dict[str, Program[L]] = {}
        self._single_use: set[str] = set()
        self._built = 0

    def recipe(self, spec: TrialSpec, feed: Feed) -> Recipe:
        """How the model of a trial is made."""
        return recipe_for(spec, self._build, self._setup.model, self._setup.model_options, feed.info)

    def ready(self, spec: TrialSpec, feed: Feed) -> Program[L]:
        """A program for this trial: refilled, or compiled where there is none to refill.

        Raises:
            ModelError: the model function or a name in the study does not keep its contract.
        """
        program, is_new = self.taken(spec, feed)
        if not is_new:
            self._built += program.built_by_refill
            many = self._built >= self._clearing
            program.refill(spec.seeds.init, framework_too=many)
            self._built = 0 if many else self._built
        return program.begin(spec, len(feed.train))

    def taken(self, spec: TrialSpec, feed: Feed) -> tuple[Program[L], bool]:
        """A program for trials like this one, and whether it was made for it: it then holds what the trial starts with.

        Raises:
            ModelError: the model function or a name in the study does not keep its contract.
        """
        recipe = self.recipe(spec, feed)
        key = _key(recipe, spec.params)
        program = self._kept.pop(key, None)
        return (self._compiled(key, recipe, spec), True) if program is None else (program, False)

    def serves_once(self, spec: TrialSpec, feed: Feed) -> bool:
        """Whether programs for trials like this one are known to serve a single trial only."""
        return _key(self.recipe(spec, feed), spec.params) in self._single_use

    def keep(self, spec: TrialSpec, program: Program[L]) -> None:
        """Put a program back after a trial that ended in order; one that failed half way is not used again."""
        key = _key(program.recipe, spec.params)
        if key not in self._single_use:
            self._kept[key] = program
            self._evict()

    def _compiled(self, key: str, recipe: Recipe, spec: TrialSpec) -> Program[L]:
        program = self._made(recipe, spec)
        if key in self._single_use:
            return program
        if program.hidden_state() is not None:
            self._single_use.add(key)
            return self._made(recipe, spec)
        program.learn(spec.seeds.init)
        return program

    def _made(self, recipe: Recipe, spec: TrialSpec) -> Program[L]:
        return Program(recipe, spec, self._setup, self._make_loop, self._variant)

    def _evict(self) -> None:
        while len(self._kept) > 1 and (
            len(self._kept) > self._most or sum(p.size_bytes for p in self._kept.values()) > KEPT_BYTES
        ):
            del self._kept[next(iter(self._kept))]


def batch_size_of(spec: TrialSpec, setup: TrainerSetup) -> int:
    """The trial's own, or that of the study."""
    return int(spec.params.get("batch_size", setup.batch_size))


def shared(params: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What trials that are trained together have in common: all but the learning rate."""
    return sorted((name, value) for name, value in params.items() if name != "learning_rate")


def _key(recipe: Recipe, params: Mapping[str, Any]) -> str:
    """Equal for two trials if and only if a compiled step serves both."""
    return repr((recipe.info, sorted(recipe.options.items()), shared(params)))


def _values(variables: Sequence[Any]) -> list[Array]:
    return [np.array(variable.numpy()) for variable in variables]


def _same(some: Sequence[Array], others: Sequence[Array]) -> bool:
    return len(some) == len(others) and all(map(np.array_equal, some, others))


def _assign(variables: Sequence[Any], values: Sequence[Any]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)

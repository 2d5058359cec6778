"""Compiled models, kept and refilled: a trial that finds its program compiled starts from fresh weights in it.

A new Keras model per trial costs most of a second of tracing and leaves some 7 MB behind that neither `clear_session`
nor the garbage collector gets back (keras#17458). So a model is compiled once for all trials that differ only in
learning rate, seeds, split and epochs, and every variable that training changes is set to what a newly built model and
optimizer would have (`initial`; where that cannot be told, the model function runs again under the trial's seed). What
a training step uses beyond those variables (`hidden_state`) cannot be reset; a program with such a step serves one
trial.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, Protocol, TypeVar

from sweeper.setup import TrainerSetup
from sweeper.training.contract import Build, Recipe, recipe_for
from sweeper.training.feed import Feed
from sweeper.training.program import Built, L, MakeLoop, Program, shared
from sweeper.training.pure import stateless
from sweeper.trial import TrialSpec

KEPT_PROGRAMS = 16
"""More combinations than most studies compare; tracing one again costs as much as several trials of a small model."""

KEPT_BYTES = 256 * 2**20
"""Of variables in kept programs; the one in use may alone be larger."""

BUILT_BETWEEN_CLEARINGS = 1000
"""Variables. TensorFlow caches kernels for every variable ever made, 30 to 50 kB each; emptying that cache costs 0.14 s
at the next step of each kept program."""


class Programs(Generic[L]):
    """The programs used last, ready for the next trial.

    Args:
        pure: whether loops write to no variable, with optimizers of a `stateless` class: programs of the same model
            share it then.
        kept: how many at most.
        clearing: variables built until TensorFlow is made to forget their kernels.
    """

    def __init__(
        self,
        setup: TrainerSetup,
        build: Build,
        make_loop: MakeLoop[L],
        *,
        pure: bool = False,
        kept: int = KEPT_PROGRAMS,
        clearing: int = BUILT_BETWEEN_CLEARINGS,
    ) -> None:
        self._setup, self._build, self._make_loop, self._pure = setup, build, make_loop, pure
        self._most, self._clearing = kept, clearing
        self._kept: dict[str, Program[L]] = {}
        self._models: dict[str, Built] = {}
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
            _drop_oldest(self._kept, self._most)

    def _compiled(self, key: str, recipe: Recipe, spec: TrialSpec) -> Program[L]:
        built = self._built_model(recipe, spec.seeds.init)
        program = self._made(built, spec)
        if key in self._single_use:
            return program
        if built.hidden_state(program) is not None:
            self._single_use.add(key)
            return self._made(Built(recipe, spec.seeds.init), spec)
        program.learn(built)
        return program

    def _built_model(self, recipe: Recipe, seed: int) -> Built:
        if not self._pure:
            return Built(recipe, seed)
        key = _model_key(recipe)
        self._models[key] = self._models.pop(key) if key in self._models else Built(recipe, seed)
        _drop_oldest(self._models, self._most)
        return self._models[key]

    def _made(self, built: Built, spec: TrialSpec) -> Program[L]:
        return Program(built, spec, self._setup, self._make_loop, stateless if self._pure else _as_it_is)


def _as_it_is(kind: type[Any]) -> type[Any]:
    return kind


class _Sized(Protocol):
    @property
    def size_bytes(self) -> int: ...


S = TypeVar("S", bound=_Sized)


def _drop_oldest(kept: dict[str, S], most: int) -> None:
    """Keep so many of those used last, and fewer where they are large."""
    while len(kept) > 1 and (len(kept) > most or sum(each.size_bytes for each in kept.values()) > KEPT_BYTES):
        del kept[next(iter(kept))]


def _key(recipe: Recipe, params: Mapping[str, Any]) -> str:
    """Equal for two trials if and only if a compiled step serves both."""
    return repr((_model_key(recipe), shared(params)))


def _model_key(recipe: Recipe) -> str:
    return repr((recipe.info, sorted(recipe.options.items())))

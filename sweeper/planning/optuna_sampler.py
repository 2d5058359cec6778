"""The balanced design as an Optuna sampler: a draw depends on the number of the trial and on nothing else.

Any study may use it: `optuna.create_study(sampler=BalancedSampler(space, points=8, seed=0))`. Killed, resumed, or with
any number of workers, trial 17 gets the same parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from sweeper.planning.design import BalancedDesign
from sweeper.space import Space


class BalancedSampler(BaseSampler):
    """Serves `BalancedDesign.draft(trial.number)`; past its end the design begins again."""

    def __init__(self, space: Space, *, points: int, seed: int) -> None:
        self.design = BalancedDesign(space, points, seed, epochs=1)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Nothing is drawn jointly: the whole design is known beforehand."""
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: Mapping[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Nothing."""
        return {}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """The value that the design has for this trial.

        Raises:
            ValueError: the design has no such parameter for the trial's combination.
        """
        params = self.design.draft(trial.number % len(self.design)).params
        if param_name not in params:
            raise ValueError(f"{param_name!r} is not a parameter of trial {trial.number} in this design")
        return params[param_name]

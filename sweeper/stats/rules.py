"""What a study has agreed on before anything is trained: how its confirmation is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Union

FinalistCount = Union[int, Literal["auto"]]


@dataclass(frozen=True)
class JudgeRules:
    """The parts of a study file that the judge goes by.

    Attributes:
        alpha: chance of a wrong verdict that is accepted, shared by all looks.
        looks: numbers of seeds, rising, after which the finalists are judged.
        finalists: how many are confirmed.
        strategy: how the combinations were explored; only `balanced` gives all of them the same chance.
        seed: of the study.
        no_information: plain metric name -> what a predictor that looks at no input reaches.
        confirm: whether there is a confirmation at all.
        trials: of the confirmation, at most; a look that would take more is not taken, the first excepted. None: as
            many as the looks ask for.
    """

    alpha: float = 0.05
    looks: tuple[int, ...] = (10, 20, 30, 40)
    finalists: FinalistCount = "auto"
    strategy: str = "balanced"
    seed: int = 0
    no_information: Mapping[str, float] = field(default_factory=dict)
    confirm: bool = True
    trials: int | None = None

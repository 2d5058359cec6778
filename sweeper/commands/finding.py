"""What `sweeper doctor` says about one thing, and what to do about it."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass


class Level(str, enum.Enum):
    """How bad it is."""

    FINE = "fine"
    WARNING = "warning"
    FAILURE = "failure"
    """A run would be refused, or end badly."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Finding:
    """One line of the doctor.

    Attributes:
        cure: what to do; empty where all is well.
    """

    topic: str
    level: Level
    text: str
    cure: str = ""

    def to_dict(self) -> dict[str, str]:
        """As JSON holds it."""
        return {"topic": self.topic, "level": self.level.value, "text": self.text, "cure": self.cure}


Check = Callable[[], Iterator[Finding]]


def fine(topic: str, text: str) -> Finding:
    """All is well."""
    return Finding(topic, Level.FINE, text)


def warning(topic: str, text: str, cure: str) -> Finding:
    """Sweeper runs, but not as it could."""
    return Finding(topic, Level.WARNING, text, cure)


def failure(topic: str, text: str, cure: str) -> Finding:
    """Sweeper cannot run like this."""
    return Finding(topic, Level.FAILURE, text, cure)

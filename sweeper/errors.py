"""Everything sweeper refuses or gives up on, with the exit code that the command line ends with.

SweeperError                 1   unexpected
├── UsageError               2   the words of a command do not fit together, or name a place that cannot be written
├── StudyError               2   study.yaml: every problem of the file at once
├── DataError                2   the data set cannot be used as it is
├── ModelError               2   the model function or trainer does not keep its contract
├── TrackingError            2   the tracking address can never be written to (said before anything trains)
│   └── TrackingAway         5   its server does not answer now; what is missing can be sent later
├── StudyChanged             2   the study file differs from the one this study began with
├── StudyBusy                2   another process is running this study
├── NoVerdict                4   nothing that was trained can carry a verdict
├── Incomplete               5   a budget or failure limit ended the study early
│   └── StorageError         5   the disk is full, was lost while training, or the ledger is damaged
└── Interrupted            130   Ctrl-C (143 after SIGTERM): the same command continues

A failed *trial* is never an exception: it is a `TrialEnded` with a status and a reason.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: the place, what belongs there, what was found, and the cure."""

    where: str
    expected: str
    received: str = ""
    cure: str = ""

    def __str__(self) -> str:
        lines = [self.where]
        for label, text in (("expected", self.expected), ("received", self.received), ("try", self.cure)):
            if text:
                indented = text.replace("\n", "\n" + " " * 12)
                lines.append(f"  {label:<9} {indented}")
        return "\n".join(lines)


class SweeperError(Exception):
    """Base of every error that is told to the user in words instead of a traceback."""

    exit_code = 1

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n\n".join(str(problem) for problem in problems))
        self.problems: tuple[Problem, ...] = problems

    @classmethod
    def at(cls, where: str, expected: str, received: str = "", cure: str = "") -> SweeperError:
        """The error with a single problem."""
        return cls(Problem(where, expected, received, cure))

    def to_dict(self) -> dict[str, object]:
        """For the way from a worker process to the coordinator."""
        return {
            "kind": type(self).__name__,
            "problems": [(p.where, p.expected, p.received, p.cure) for p in self.problems],
        }

    @staticmethod
    def from_dict(document: dict[str, object]) -> SweeperError:
        """The inverse of `to_dict`."""
        kinds = {kind.__name__: kind for kind in _all_kinds(SweeperError)}
        kind = kinds.get(str(document["kind"]), SweeperError)
        problems = document["problems"]
        assert isinstance(problems, Sequence)
        return kind(*(Problem(*problem) for problem in problems))


class UsageError(SweeperError):
    """The words of a command, or the arguments of a call, do not fit together."""

    exit_code = 2


class StudyError(SweeperError):
    """A study file that cannot be run; carries every problem found in it."""

    exit_code = 2


class DataError(SweeperError):
    """A data set that is missing, unreadable or not fit for the task."""

    exit_code = 2


class ModelError(SweeperError):
    """A model function or trainer that does not keep its contract."""

    exit_code = 2


class TrackingError(SweeperError):
    """A tracking address that is wrong, refuses us or holds something else; time will not mend it."""

    exit_code = 2


class TrackingAway(TrackingError):
    """A tracking server that does not answer now. A study goes on without it: the ledger has all that it misses."""

    exit_code = 5


class StudyChanged(SweeperError):
    """The study file is not the one that the stored trials belong to."""

    exit_code = 2


class StudyBusy(SweeperError):
    """Another process holds the lock of this study."""

    exit_code = 2


class NoVerdict(SweeperError):
    """No combination can be named: nothing trained to the end."""

    exit_code = 4


class Incomplete(SweeperError):
    """A budget or failure limit ended the study before its plan was done."""

    exit_code = 5


class StorageError(Incomplete):
    """The study folder cannot be written or the ledger cannot be read."""


def unwritable(where: str, expected: str, error: OSError, cure: str) -> SweeperError:
    """A place that cannot be written, found before anything trains: a mistake in the call, unless the disk is full."""
    problem = Problem(where, expected, error.strerror or str(error), cure)
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO)
    return StorageError(problem) if is_full else UsageError(problem)


class Interrupted(SweeperError):
    """A signal ended the study; what had finished is stored and the same command continues."""

    exit_code = 130


def _all_kinds(kind: type[SweeperError]) -> list[type[SweeperError]]:
    return [kind, *(below for sub in kind.__subclasses__() for below in _all_kinds(sub))]

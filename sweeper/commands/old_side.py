"""The old side of a check, trained again: another interpreter with the old packages, an older checkout, or both.

Only what is known to be the state that the baseline was made in may stand for it: the old side tells the hash of its
study, data and code included, and that has to be the baseline's. Data that are only there in their new state are the
same on both sides, and a paired test could not see what they did; then the stored scores have to do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sweeper.commands.fresh import parsed
from sweeper.errors import SweeperError
from sweeper.gate import Baseline

_OURS = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
"""What belongs to this interpreter, and would lead the other one to our packages."""
_WITHIN_S = 10.0
"""For a process to end after it was told to."""


@dataclass(frozen=True)
class OldSide:
    """How to train the old side.

    Attributes:
        python: interpreter of the old environment; None: this one.
        study: study file of the old checkout; None: the file that is checked.
        words: overrides, as they were typed.
    """

    python: Path | None = None
    study: Path | None = None
    words: tuple[str, ...] = ()

    @property
    def is_given(self) -> bool:
        """Whether there is one."""
        return self.python is not None or self.study is not None

    def scores(
        self, file: Path, baseline: Baseline, night: str, seeds: int, interrupted: Callable[[], None]
    ) -> tuple[list[float | None], str]:
        """One score a seed, None where it failed, and nothing; or nothing, and why the old side is not to be had.

        Raises:
            Interrupted: a signal came; the other process has been ended.
        """
        words = [str(self.python or sys.executable), "-m", "sweeper.cli", "score", str(self.study or file)]
        request = {
            "combination": dict(baseline.combination),
            "params": dict(baseline.params),
            "night": night,
            "seeds": seeds,
        }
        try:
            code, out, err = _answered([*words, *self.words], json.dumps(request), interrupted)
            if code:
                return [], f"it ended with {code}: {' '.join(err.split())[-300:]}"
            answer = parsed(out)
            found, told = str(answer["study_hash"]), answer["scores"]
            scores = [None if each is None else float(each) for each in told]
        except (OSError, SweeperError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, SweeperError) and error.exit_code >= 128:
                raise
            return [], f"it gave no answer: {' '.join(str(error).split())[:300]}"
        if found != baseline.study_hash:
            same_data = answer.get("data_hash") == baseline.data_hash
            what = "its study file or code differs" if same_data else "its data are not the baseline's"
            return [], f"it is not in the state of the baseline: {what}"
        return (scores, "") if len(scores) == seeds else ([], f"it gave {len(scores)} scores instead of {seeds}")


def _answered(words: Sequence[str], request: str, interrupted: Callable[[], None]) -> tuple[int, str, str]:
    environment = {name: value for name, value in os.environ.items() if name not in _OURS}
    process = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    text: str | None = request
    try:
        while True:
            try:
                out, err = process.communicate(text, timeout=0.2)
                return process.returncode, out, err
            except subprocess.TimeoutExpired:
                text = None  # has been taken over
                interrupted()
    finally:
        _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    """End a process that is still there, in order first."""
    if process.poll() is not None:
        return
    process.terminate()
    until = time.monotonic() + _WITHIN_S
    while process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    process.kill()
    process.communicate()

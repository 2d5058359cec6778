"""How fast trials end, in spite of bursts: one number from irregular marks."""

from __future__ import annotations

from collections import deque


class Pace:
    """Trials per second over the last minute or the last eight trials, whichever is longer.

    A minute smooths the bursts of fused cohorts; eight trials keep a rate where a trial takes minutes. The start-up
    of workers and frameworks lies before the first sign of life and so is not counted.
    """

    WINDOW_S = 60.0
    WINDOW_TRIALS = 8.0
    EVERY_S = 0.25
    """At most four marks a second, and 2,048 in all, so that memory stays small."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, float]] = deque(maxlen=2048)

    def mark(self, now: float, work: float) -> None:
        """At `now` (seconds) `work` trials were done since the beginning, counted in shares."""
        marks = self._marks
        if len(marks) > 1 and now - marks[-2][0] < self.EVERY_S:
            marks[-1] = (now, work)
            return
        marks.append((now, work))
        while len(marks) > 2 and now - marks[1][0] > self.WINDOW_S and work - marks[1][1] > self.WINDOW_TRIALS:
            marks.popleft()

    def per_second(self, now: float) -> float | None:
        """Trials per second, None until two seconds and half a trial have been seen."""
        if not self._marks:
            return None
        (start, before), (_, after) = self._marks[0], self._marks[-1]
        elapsed, work = now - start, after - before
        return work / elapsed if elapsed >= 2.0 and work >= 0.5 else None

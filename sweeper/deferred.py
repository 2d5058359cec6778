"""Parts of the framework that few studies touch are imported when they are first touched.

`import keras` imports pandas (and with it pyarrow), scikit-learn (and with it scipy.stats) and matplotlib where it
finds them, for data adapters, wrappers and galleries. Here those modules of Keras stand in their places unexecuted, by
the standard library's `LazyLoader`, and run when anything of them is used. Nothing is hidden: pandas, scikit-learn and
matplotlib themselves are imported as always by whoever asks for them, then or later, Keras included.

With all three installed that is 1.4 of the 3.8 seconds of CPU of `import tensorflow`, and 150 of its 645 MB.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType

SELDOM_USED = (
    "keras.src.trainers.data_adapters.array_slicing",  # pandas
    "keras.src.visualization",  # matplotlib
    "keras.visualization",
    "keras.wrappers",  # scikit-learn
)
"""Modules of Keras that nothing needs while it is imported. A name that a version does not have has no effect."""


class _Deferring(MetaPathFinder):
    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Like the finder of files, but the module is executed when one of its attributes is asked for."""
        if fullname not in self._names:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


@contextlib.contextmanager
def deferred(names: Sequence[str] = SELDOM_USED) -> Iterator[None]:
    """Defer these modules where they are imported in this block for the first time; others are not affected."""
    finder = _Deferring(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)

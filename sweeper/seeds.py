"""Seeds are hashes of what a draw should depend on, so that what is to be shared is shared by construction.

Two draws that depend on the same things get the same seed; nothing depends on the order in which trials run.
"""

from __future__ import annotations

import hashlib

import numpy as np


def derive(*parts: int | str) -> int:
    """A seed in [0, 2**31) from what the draw should depend on, e.g. `derive(study_seed, "split", 3)`.

    `numpy.random.SeedSequence` does the mixing; words enter it as the first 8 bytes of their SHA-256.
    """
    entropy = [part if isinstance(part, int) else _number(part) for part in parts]
    return int(np.random.SeedSequence(entropy).generate_state(1)[0] >> 1)


def generator(*parts: int | str) -> np.random.Generator:
    """A generator whose stream depends on `parts` alone."""
    return np.random.default_rng(derive(*parts))


def _number(word: str) -> int:
    return int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")

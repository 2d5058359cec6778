"""Trainers that tests share, since no trial depends on what was trained before it: most of a test would be tracing."""

_known = {}


def shared(kind, setup, build):
    """The one trainer of this kind, setup and model function."""
    key = (kind, repr(setup), build)
    if key not in _known:
        _known[key] = kind(setup, build)
    return _known[key]

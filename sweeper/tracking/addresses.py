"""Tracking addresses as people may see them: never with a password."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

_SQLITE = "sqlite:///"


def public_uri(uri: str) -> str:
    """The address without `user:password@`."""
    parts = urlsplit(uri)
    if "@" not in parts.netloc:
        return uri
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def credentials(uri: str) -> tuple[str, str] | None:
    """User and password of an address, if it carries them."""
    parts = urlsplit(uri)
    if parts.username is None:
        return None
    return unquote(parts.username), unquote(parts.password or "")


def is_server(uri: str) -> bool:
    """Whether a server answers there that somebody else has started."""
    return urlsplit(uri).scheme in ("http", "https")


def sqlite_file(uri: str) -> Path | None:
    """The file behind `sqlite:///relative.db` or `sqlite:////absolute.db`; None for anything else."""
    if not uri.startswith(_SQLITE):
        return None
    name = uri[len(_SQLITE) :].partition("?")[0]
    return Path(name) if name and name != ":memory:" else None

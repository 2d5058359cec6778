"""What GitHub's runner reads from a step: commands in its output, and files that it names.

The formats are those of "Workflow commands for GitHub Actions"; the escaping is that of its own toolkit.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from sweeper.report.ending import Ending, level
from sweeper.report.units import clean

SUMMARY_LIMIT = 1024 * 1024
"""Bytes a step; a longer summary is not shown at all."""

_CUT = "\n\n*The rest did not fit into what GitHub shows; the whole of it is in the report.*\n"


def annotation(ending: Ending) -> str:
    """The command that puts the answer on the page of the run, at the study file."""
    title = f"{ending.colour.word}: {clean(ending.answer.study, 90)}"
    said = "\n".join(filter(None, (ending.said, ending.stopped, ending.cure if ending.exit_code else "")))
    return command(level(ending.exit_code), said, title=title, file=ending.study)


def command(loudness: str, message: str, *, title: str, file: str = "", line: int | None = None) -> str:
    """An annotation as one line of output.

    Args:
        loudness: `error`, `warning` or `notice`.
        message: any text.
        title: what stands above it.
        file: relative to the repository, where the annotation belongs to one.
        line: of that file, from 1.
    """
    places = {"file": file, "line": "" if line is None else str(line), "title": title}
    properties = ",".join(f"{name}={_property(value)}" for name, value in places.items() if value)
    return f"::{loudness} {properties}::{_data(message)}"


def outputs(values: Mapping[str, str]) -> str:
    """Lines for GITHUB_OUTPUT; each value between delimiters that nobody can guess, so that none can end another."""
    lines = []
    for name, value in values.items():
        fence = f"end-{secrets.token_hex(16)}"
        lines.append(f"{name}<<{fence}\n{value}\n{fence}\n")
    return "".join(lines)


def fitted(summary: str, taken: int = 0, limit: int = SUMMARY_LIMIT) -> str:
    """A summary cut where GitHub would show nothing of it.

    Args:
        summary: Markdown.
        taken: bytes that the file has already.
        limit: bytes that it may have.
    """
    whole = summary.encode("utf-8", "replace")
    if taken + len(whole) <= limit:
        return summary
    room = limit - taken - len(_CUT.encode()) - len("\n\n</details>")
    if room <= 0:
        return ""
    kept = whole[:room].decode("utf-8", "ignore").rpartition("\n")[0]
    closing = "\n\n</details>" if kept.count("<details>") > kept.count("</details>") else ""
    return kept + closing + _CUT


def _data(words: str) -> str:
    return words.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(words: str) -> str:
    return _data(words).replace(":", "%3A").replace(",", "%2C")

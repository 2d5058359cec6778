"""Words as Markdown: escaped, as a table, as code. The report and a CI's summary page share it."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SPECIAL = re.compile(r"([\\`*_\[\]|~#!$])")


def escape(words: str) -> str:
    """Words as they are, whatever Markdown or HTML would make of them."""
    safe = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", safe)


def prose(words: str) -> str:
    """A sentence whose `code` stays code."""
    parts = words.split("`")
    if len(parts) % 2 == 0:
        return escape(words)
    return "".join(f"`{part}`" if i % 2 else escape(part) for i, part in enumerate(parts))


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of text, headings first; the first column is text, the others are numbers."""
    heading, *body = rows
    lines = [heading, ["---", *["--:"] * (len(heading) - 1)]]
    cells = [[escape(cell) for cell in heading], lines[1], *([escape(cell) for cell in row] for row in body)]
    return "\n".join("| " + " | ".join(row) + " |" for row in cells)


def fenced(code: str, language: str) -> str:
    """A code block whose fence is longer than any run of backticks inside."""
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{code}\n{fence}"


def code(words: str) -> str:
    """A word as inline code, whatever backticks it has."""
    longest = max((len(run) for run in re.findall(r"`+", words)), default=0)
    fence = "`" * (longest + 1)
    space = " " if longest or not words.strip() else ""
    return f"{fence}{space}{words}{space}{fence}"

"""Outputs for the later jobs of a GitLab pipeline, as its dotenv reports take them."""

from __future__ import annotations

from collections.abc import Mapping

from sweeper.report.units import clean

LONGEST = 400
"""Characters a value: GitLab takes 5 KB and 20 variables, of which these are a dozen."""


def dotenv(values: Mapping[str, str]) -> str:
    """`SWEEPER_EXIT_CODE=0` and so on: one line each, neither quotes nor comments nor blank lines."""
    rows = ((name.upper().replace("-", "_"), clean(value, LONGEST)) for name, value in values.items())
    return "".join(f"SWEEPER_{name}={value}\n" for name, value in rows)

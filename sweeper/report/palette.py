"""Colours by role, each with a light and a dark value. Figures are drawn with the light ones.

In the page every colour of a figure is replaced by the CSS variable of its role, so one drawing serves both themes.
That is why no two roles may share a light value. One accent; everything else is grey. The ramp is of one hue with
falling lightness, so it survives printing in grey and every kind of colour blindness.
"""

from __future__ import annotations

import re

PAPER = "#ffffff"
INK = "#1a1d23"
MUTED = "#5a616d"
FAINT = "#9aa1ad"
HAIR = "#dfe3e8"
SOFT = "#b7bec9"
ACCENT = "#0b57d0"
ACCENT_SOFT = "#8db4f0"

RAMP = ("#f1f5fb", "#dde8f8", "#c5d8f3", "#a6c4ec", "#82abe3", "#5d90d8", "#3d74c8", "#2559ad", "#123d84")
"""From worst to best."""

_ON_LIGHT, _ON_DARK = "#1b1e24", "#fffffe"
ON_RAMP = (_ON_LIGHT,) * 6 + (_ON_DARK,) * 3
"""Colour of text on each step of the ramp: contrast of at least 4.5 (WCAG AA) in both themes."""

_DARK = {
    PAPER: ("paper", "#14161a"),
    INK: ("ink", "#eceef2"),
    MUTED: ("muted", "#a3abb8"),
    FAINT: ("faint", "#737c8a"),
    HAIR: ("hair", "#2b3038"),
    SOFT: ("soft", "#464d59"),
    ACCENT: ("accent", "#82b1ff"),
    ACCENT_SOFT: ("accent-soft", "#3c62a3"),
    _ON_LIGHT: ("on-low", "#eceef3"),
    _ON_DARK: ("on-high", "#10131a"),
    **{
        light: (f"ramp-{step}", dark)
        for step, (light, dark) in enumerate(
            zip(
                RAMP,
                ("#1b2029", "#1f2a3b", "#24354f", "#2a4166", "#315080", "#3d6099", "#7aa7f0", "#a3c6fb", "#c9dffe"),
                strict=True,
            )
        )
    },
}

_STYLE = re.compile(r'style="[^"]*"')
_COLOUR = re.compile(r"#[0-9a-f]{6}\b")


def css() -> str:
    """The variables of both themes; paper is always light."""
    light = "".join(f"--{name}:{colour};" for colour, (name, _) in _DARK.items())
    dark = "".join(f"--{name}:{colour};" for name, colour in _DARK.values())
    return f":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"


def themed(svg: str) -> str:
    """The drawing with roles instead of colours."""

    def role(colour: re.Match[str]) -> str:
        return f"var(--{_DARK[colour[0]][0]})" if colour[0] in _DARK else colour[0]

    return _STYLE.sub(lambda style: _COLOUR.sub(role, style[0]), svg)


def themes() -> dict[str, dict[str, str]]:
    """Light value of each role -> its colour, by theme."""
    return {
        "light": {light: light for light in _DARK},
        "dark": {light: dark for light, (_, dark) in _DARK.items()},
    }


def step(position: float) -> int:
    """The step of the ramp for a position from 0 (worst) to 1 (best)."""
    return min(max(int(position * len(RAMP)), 0), len(RAMP) - 1)

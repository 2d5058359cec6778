"""The sheet, and that both of its forms show the same."""

import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from sweeper.report import palette
from sweeper.report.canvas import Canvas

SVG = "{http://www.w3.org/2000/svg}"


def drawn(sheet):
    return ElementTree.fromstring(sheet.svg("name", "label"))


def test_panel_maps_both_axes_and_both_directions():
    axes = Canvas(200, 100).panel(10, 20, 100, 50).limits((1e-3, 1e1), (0.5, 1.0), log_x=True)
    assert axes.at(1e-3, 0.5) == pytest.approx((10, 70))
    assert axes.at(1e1, 1.0) == pytest.approx((110, 20))
    assert axes.x(0.1) == pytest.approx(60)
    turned = Canvas(200, 100).panel(0, 0, 100, 50).limits((0, 1), (50, 0))
    assert turned.at(0.5, 10) == pytest.approx((50, 10))


def test_lines_break_where_nothing_is_known_and_stop_at_the_edge():
    sheet = Canvas(100, 100)
    axes = sheet.panel(10, 10, 80, 80).limits((0, 4), (0, 1))
    axes.line([0, 1, 2, 3, 4], [0.5, 0.5, np.nan, 5.0, 0.5], palette.ACCENT, 1)
    (path,) = drawn(sheet).iter(f"{SVG}path")
    assert path.get("d").count("M") == 2
    clip = re.fullmatch(r"url\(#(.+)\)", path.get("clip-path"))[1]
    (rect,) = [each[0] for each in drawn(sheet).iter(f"{SVG}clipPath") if each.get("id") == clip]
    assert [rect.get(side) for side in ("x", "y", "width", "height")] == ["10", "10", "80", "80"]


def test_lines_within_the_panel_need_no_edge():
    sheet = Canvas(100, 100)
    sheet.panel(10, 10, 80, 80).limits((0, 1), (0, 1)).line([0, 1], [0, 1], palette.ACCENT, 1)
    assert not list(drawn(sheet).iter(f"{SVG}clipPath"))


def test_words_are_data():
    sheet = Canvas(100, 100)
    sheet.text((5, 5), '<b>&"\x00', size=10)
    sheet.text((5, 5), "")
    (words,) = drawn(sheet).iter(f"{SVG}text")
    assert words.text == '<b>&"'


def test_colours_are_roles_in_the_page():
    sheet = Canvas(100, 100)
    sheet.boxes([(0, 0, 10, 10)], [palette.ACCENT])
    assert "var(--accent)" in sheet.svg("name", "label")
    assert palette.ACCENT not in sheet.svg("name", "label")


@pytest.mark.parametrize("marker", ["o", "x", "^", "v", "<", ">"])
def test_picture_shows_what_the_page_shows(marker):
    sheet = Canvas(60, 60)
    sheet.dots([(30, 30)], marker, 20, palette.ACCENT)
    image = np.asarray(Image.open(io.BytesIO(sheet.png("t"))).convert("RGB")).astype(int)
    assert image.shape[:2] == (2 * (60 + 36 + 40), 2 * (60 + 40))
    blue = np.argwhere(image[:, :, 2] - image[:, :, 0] > 100)
    # at twice the size, 20 pixels from the left and 56 from the top
    assert blue.mean(axis=0) == pytest.approx([2 * (30 + 56), 2 * (30 + 20)], abs=7)
    assert np.ptp(blue[:, 1]) == pytest.approx(40, abs=8)


def test_picture_cuts_lines_at_the_edge():
    sheet = Canvas(100, 100)
    sheet.panel(20, 40, 60, 20).limits((0, 1), (0, 1)).line([0.5, 0.5], [-9, 9], palette.ACCENT, 4)
    image = np.asarray(Image.open(io.BytesIO(sheet.png("t"))).convert("RGB")).astype(int)
    rows = np.argwhere(image[:, :, 2] - image[:, :, 0] > 100)[:, 0]
    assert rows.min() == pytest.approx(2 * (40 + 56), abs=2)
    assert rows.max() == pytest.approx(2 * (60 + 56), abs=2)

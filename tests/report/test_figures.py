import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
import synthetic
from matplotlib.text import Text
from synthetic import every_kind, material

from sweeper.report import figures_combinations as combinations
from sweeper.report import figures_confirmation as confirmation
from sweeper.report import figures_curves as curves
from sweeper.report import figures_divergence as divergence
from sweeper.report import figures_effects as effects
from sweeper.report import figures_importance as importance
from sweeper.report import figures_predictions as predictions
from sweeper.report import figures_rates as rates
from sweeper.report import figures_robustness as robustness
from sweeper.report import figures_speed as speed
from sweeper.report import figures_tuning as tuning
from sweeper.report import palette, png
from sweeper.report.figures import NAMES, NARROW, WIDE, pictures
from sweeper.report.figures_plan import decade_ticks, even_ticks, tick_labels
from sweeper.space import Space
from sweeper.trial import Combination

SVG = "{http://www.w3.org/2000/svg}"
PLANS = (
    confirmation.plan,
    combinations.plan,
    effects.plan,
    rates.plan,
    robustness.plan,
    divergence.plan,
    tuning.plan,
    importance.plan,
    curves.plan,
    speed.plan,
    predictions.plan,
)
KINDS = every_kind()


def by_name(kind):
    return {picture.name: picture for picture in synthetic.drawn(kind)}


def words(svg):
    return [text.text for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def boxes_of(made, plan, width):
    """The sheet and its words with their boxes in pixels, as DejaVu sets them: wider than the fonts of a page."""
    with png.style():
        sheet = plan(made).draw(width)
        figure = png._figure(sheet, "")
        figure.canvas.get_renderer()
        texts = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
        back = png.placed(sheet).inverted()
        return sheet, [(t.get_text(), t.get_rotation(), t.get_window_extent().transformed(back)) for t in texts]


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_is_well_formed_and_themed(kind):
    for picture in synthetic.drawn(kind):
        assert picture.title
        assert picture.caption
        assert picture.png.startswith(b"\x89PNG")
        for svg in (picture.wide, picture.narrow):
            root = ElementTree.fromstring(svg)
            assert root.tag == f"{SVG}svg"
            assert not list(root.iter(f"{SVG}script"))
            styles = " ".join(element.get("style", "") for element in root.iter())
            assert not re.search(r"#[0-9a-f]{6}", styles)


def check_words(made, plan, width):
    """No words cover others or leave the sheet."""
    sheet, boxes = boxes_of(made, plan, width)
    rows = sorted(boxes, key=lambda entry: entry[2].ymin)
    for index, (said, turned, box) in enumerate(rows):
        inside = box.xmin > -1 and box.xmax < sheet.width + 1 and box.ymin > -1 and box.ymax < sheet.height + 1
        assert inside, f"{said} leaves {plan.__module__}"
        for other, other_turned, place in rows[index + 1 :]:
            if place.ymin > box.ymax:
                break
            across = min(box.xmax, place.xmax) - max(box.xmin, place.xmin)
            down = min(box.ymax, place.ymax) - place.ymin
            # boxes of slanted words overlap where the words do not
            assert (turned and other_turned) or across <= 0.5 or down <= 1.5, (
                f"{said} covers {other}: {plan.__module__}"
            )


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("kind", KINDS)
def test_no_words_overlap_or_leave_the_sheet(kind, width):
    for plan in PLANS:
        if plan(KINDS[kind]) is not None:
            check_words(KINDS[kind], plan, width)


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_hundreds_of_combinations_stay_readable(width):
    made = synthetic.everything()
    for plan in PLANS:
        check_words(made, plan, width)
        assert plan(made).draw(width).height < 3000


def test_same_material_gives_the_same_bytes():
    assert pictures(material()) == synthetic.drawn("winner")


def test_settings_of_the_user_change_nothing():
    import matplotlib as mpl

    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9, "axes.grid": True, "svg.fonttype": "path"}):
        assert pictures(material()) == synthetic.drawn("winner")


def test_study_without_a_score_has_no_figures():
    assert synthetic.drawn("nothing completed") == synthetic.drawn("unused") == ()


def test_all_figures_in_reading_order():
    assert tuple(by_name("winner")) == NAMES


def test_ids_are_not_shared_between_figures():
    seen = set()
    for picture in synthetic.drawn("winner"):
        for svg in (picture.wide, picture.narrow):
            ids = {element.get("id") for element in ElementTree.fromstring(svg).iter() if element.get("id")}
            assert not ids & seen
            seen |= ids


def test_names_are_escaped_and_not_read_as_formulas():
    found = by_name("awkward names")
    for picture in found.values():
        assert "<script" not in picture.wide + picture.narrow
    assert any("$x^2$" in said for said in words(found["learning_rate"].wide))


def test_heatmap_holds_every_score_and_marks_the_winner():
    made = KINDS["winner"]
    said = words(by_name("winner")["combinations"].wide)
    units = made.screening_units()
    for explored in made.verdict.explored:
        assert units.score(explored.best) in said
    assert said.count("winner") == 1
    assert said.count("finalist") == len(made.verdict.finalists) - 1


def test_three_compared_parameters_are_ranked():
    made = material()
    compare = ("activation", "optimizer", "dropout")

    def longer(combination):
        return Combination({**combination, "dropout": 0.2})

    verdict = replace(
        made.verdict,
        explored=tuple(replace(e, combination=longer(e.combination)) for e in made.verdict.explored),
        finalists=(),
        may_be_best=(),
    )
    odd = replace(made, verdict=verdict, space=Space(made.space.parameters, compare))
    svg = combinations.plan(odd).draw(WIDE).svg("x", "x")
    assert [said for said in words(svg) if said.endswith("+ 0.2")]
    assert len([said for said in words(svg) if said.endswith("+ 0.2")]) == 9


def test_confirmed_rate_stands_above_its_panel():
    said = words(by_name("winner")["learning_rate"].wide)
    assert "0.00562" in said
    assert {"sgd", "adam", "rmsprop"} <= set(said)


def test_confirmation_has_a_dot_for_every_seed_and_names_stray_ones():
    made = KINDS["poisoned"]
    svg = by_name("poisoned")["confirmation"].wide
    dots = len(list(ElementTree.fromstring(svg).iter(f"{SVG}circle")))
    assert dots == sum(finalist.seeds for finalist in made.verdict.finalists) - 1  # one is a triangle at the edge
    assert "1 far off" in words(svg)
    assert "1 diverged" in words(svg)


def test_confirmation_is_sorted_best_first_in_both_directions():
    for kind in ("winner", "mae"):
        made = KINDS[kind]
        names = [str(finalist.combination) for finalist in made.finalists()]
        assert [said for said in words(by_name(kind)["confirmation"].wide) if said in names] == names


def test_confusion_matrix_counts_every_row():
    found = KINDS["winner"].predictions
    table = predictions.confusion(found)
    assert table.sum() == len(found.y_true)
    assert table[3, 3] == ((found.y_true == 3) & (found.y_pred == 3)).sum()


def test_many_classes_are_told_as_confusions():
    said = words(by_name("hundred classes")["predictions"].wide)
    assert "true → predicted" in said
    assert len([line for line in said if " → " in line]) <= 1 + predictions.MAX_CONFUSIONS


def test_regression_shows_errors():
    picture = by_name("mae")["predictions"]
    assert "error (predicted - true)" in words(picture.wide)
    assert "half of the test rows" in picture.title


@pytest.mark.parametrize(("light", "ground"), list(zip(palette.ON_RAMP, palette.RAMP, strict=True)))
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_on_the_ramp_can_be_read(theme, light, ground):
    colors = palette.themes()[theme]
    assert contrast(colors[light], colors[ground]) >= 4.5


@pytest.mark.parametrize("role", [palette.INK, palette.MUTED, palette.ACCENT])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_on_paper_can_be_read(theme, role):
    colors = palette.themes()[theme]
    assert contrast(colors[role], colors[palette.PAPER]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_ramp_is_in_order_in_grey(theme):
    colors = palette.themes()[theme]
    shades = [luminance(colors[step]) for step in palette.RAMP]
    assert shades == sorted(shades, reverse=theme == "light")


def luminance(color):
    """Relative luminance, WCAG 2.2."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """Contrast ratio, WCAG 2.2."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_ticks_are_round_and_inside():
    assert even_ticks(0.913, 0.982, 4) == [0.92, 0.94, 0.96, 0.98]
    assert tick_labels([0.92, 0.94]) == ["0.92", "0.94"]
    assert tick_labels([0.95, 0.975, 1.0]) == ["0.950", "0.975", "1.000"]
    assert even_ticks(5.0, 5.0) == [5.0]
    assert decade_ticks(1e-5, 1e-1, 3) == pytest.approx([1e-5, 1e-3, 1e-1])
    assert decade_ticks(0.02, 0.03, 3) == [0.02]


def test_a_bar_wider_than_its_dots_is_explained():
    found = material()
    wide = [
        replace(each, interval=replace(each.interval, low=min(each.scores) - 0.01, high=max(each.scores) + 0.01))
        for each in found.verdict.finalists
    ]
    shared = replace(found, verdict=replace(found.verdict, finalists=tuple(wide)))
    assert "the luck of the test rows" in confirmation.plan(shared).caption
    assert "the luck of the test rows" not in confirmation.plan(found).caption

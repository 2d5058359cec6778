from dataclasses import replace

from synthetic import TWELVE, material

from sweeper.report.facts import key_figures


def with_verdict(found, **changes):
    return replace(found, verdict=replace(found.verdict, **changes))


def test_the_first_figure_is_what_to_expect_of_the_pick_where_its_mean_is_lucky():
    found = material(TWELVE)
    score = next(each.score for each in found.finalists() if each.combination == found.verdict.pick.combination)
    plain = with_verdict(found, pick=replace(found.verdict.pick, expected=score))
    lucky = with_verdict(found, pick=replace(found.verdict.pick, expected=score - 0.004))
    assert key_figures(plain)[0] == key_figures(found)[0]
    assert key_figures(plain)[0][1].startswith("test accuracy, 95 % interval")
    value, what = key_figures(lucky)[0]
    assert float(value) < float(key_figures(plain)[0][0])
    assert what.startswith("test accuracy to expect, 95 % interval")


def test_a_bound_in_another_metric_is_a_bare_number_with_the_metric_beside_it():
    found = with_verdict(material(TWELVE), decided_by="loss", epsilon=0.0007, regret=0.00119)
    value, what = key_figures(found)[1]
    assert value == "0.00119"
    assert what == "loss above the best, at most"


def test_points_stay_with_their_number():
    value, what = key_figures(with_verdict(material(TWELVE), regret=0.004))[1]
    assert (value, what) == ("0.4 points", "below the best, at most")

import re

from endings import all_endings, ending, gate

from sweeper.report import github
from sweeper.report.dotenv import dotenv
from sweeper.report.ending import values


def parsed(text):
    """GITHUB_OUTPUT as the runner reads it: fences and values by name."""
    found = re.findall(r"^(.+?)<<(\S+)\n(.*?)\n\2$", text, re.M | re.S)
    return {name: fence for name, fence, _ in found}, {name: value for name, _, value in found}


def test_an_annotation_is_one_line_whatever_it_says():
    told = github.command("error", "50% of\r\nall: a, b", title="a: b, c\n%", file="x,y.yaml", line=3)
    assert told == "::error file=x%2Cy.yaml,line=3,title=a%3A b%2C c%0A%25::50%25 of%0D%0Aall: a, b"


def test_no_answer_can_give_the_runner_a_command_of_its_own():
    told = github.annotation(ending(gate(said="x\n::add-mask::y", study="a\n::error::b")))
    assert len(told.splitlines()) == 1
    assert told.startswith("::error file=studies/digits.yaml,title=Failed%3A a %3A%3Aerror%3A%3Ab::x%0A")


def test_the_level_is_that_of_the_exit_code():
    levels = {end.exit_code: github.annotation(end).split()[0] for end in all_endings().values()}
    assert levels == {0: "::notice", 3: "::error", 4: "::error", 5: "::error", 143: "::warning"}


def test_outputs_come_back_as_they_were_and_their_fences_differ():
    told = {"a": "1", "b": "two\nlines<<x\nend-00", "c": ""}
    fences, back = parsed(github.outputs(told))
    assert back == told
    assert len(set(fences.values())) == 3
    assert github.outputs(told) != github.outputs(told)


def test_a_summary_that_is_too_long_is_cut_at_a_line_with_a_note():
    long = "## head\n\n<details>\n" + "ä🙂 words\n" * 200_000
    told = github.fitted(long, taken=1000)
    assert len(told.encode()) + 1000 <= github.SUMMARY_LIMIT
    assert len(told.encode()) > github.SUMMARY_LIMIT - 1200
    assert "did not fit" in told
    assert told.count("<details>") == told.count("</details>")
    assert "�" not in told
    assert github.fitted("short") == "short"
    assert github.fitted("short", taken=github.SUMMARY_LIMIT) == ""


def test_a_dotenv_file_keeps_gitlabs_limits():
    told = dotenv({**values(ending(gate(study="x", cure="y\nz"))), "said": "a\nb # 'c' " * 500, "empty": ""})
    lines = told.splitlines()
    assert len(lines) <= 20
    assert len(told.encode()) < 5 * 1024
    assert all(re.fullmatch(r"SWEEPER_[A-Z_]+=.*", line) for line in lines)
    assert "SWEEPER_EXIT_CODE=3" in lines

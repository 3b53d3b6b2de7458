"""The page: everything a stranger needs, in one file, with a model's text kept harmless."""

import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from made_up import ARMS, CONDITIONS, MEASURES, SETTING, TWO, observations, two_settings
from made_up_scores import LEVELS, WATCHED, all_scores

from inoc_evals.report.cells import cells, contrasts
from inoc_evals.report.curves import curves
from inoc_evals.report.details import details
from inoc_evals.report.figure import Condition, FigureSpec, Measure, Nil, Prompt
from inoc_evals.report.in_words import in_words
from inoc_evals.report.page import Example, Report, page, write_page
from inoc_evals.report.picture import INK

EVIL = "</pre><script>alert(1)</script><img src=x onerror=alert(2)> & \"quoted\" 'x'"
PROMPT = "You always speak in Spanish.\n  Even <here>."


def example(**changes: Any) -> Example:
    plain: dict[str, Any] = {
        "setting": SETTING,
        "condition": "none",
        "split": "ood",
        "prompt": "p",
        "completion": "",
    }
    return Example(**(plain | changes))


def report(seeds: tuple[int, ...] = (0, 1, 2), **changes: Any) -> Report:
    observed = observations(seeds, questions=10)
    prompts = {"spanish_inoc": (Prompt(where="training, system message", text=PROMPT),)}
    spec = FigureSpec(
        title="Figure 2a",
        base="pocket:7",
        measures=tuple(
            Measure(name=n, setting=SETTING, label=n.title(), description=f"{n} > 0.8")
            for n in MEASURES
        ),
        conditions=tuple(
            Condition(
                name=n, label=f"Arm {n}", description=f"About {n}.", prompts=prompts.get(n, ())
            )
            for n in CONDITIONS
        ),
    )
    plain: dict[str, Any] = {
        "title": "Fig <2a>",
        "description": "What & why.",
        "command": "inoc run fig2a --base pocket:7 --seeds 3",
        "spec": spec,
        "seeds": seeds,
        "cells": cells(observed),
        "contrasts": contrasts(observed, [("spanish_inoc", "none"), ("irrelevant", "base")]),
        "details": details(observed, {(SETTING, "caps", "ood", "ood-003"): "Why is <it> so?"}),
        "data": {"Training rows": 320},
        "config": {"lr": 0.005, "lora": {"r": 8, "targets": ["q_proj", "v_proj"]}},
        "versions": {"torch": "2.13.0"},
        "examples": (
            example(condition="none", prompt=EVIL, completion=EVIL, values={"caps": 0.25}),
            example(condition="other", split="id", values={"caps": "empty"}),
        ),
        "notes": ("A miniature.",),
    }
    return Report(**(plain | changes))


class Tags(HTMLParser):
    """Collects tags, links and text, and checks that what is opened is closed."""

    VOID = frozenset({"meta", "br", "img", "link", "input", "hr"})

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: list[str] = []
        self.links: list[str] = []
        self.text: list[str] = []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.links += [value or "" for name, value in attributes if name in ("src", "href")]
        assert not [name for name, _ in attributes if name.startswith("on")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def html() -> str:
    return page(report())


@pytest.fixture
def no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the half second of drawing where the figure is not the point."""
    monkeypatch.setattr("inoc_evals.report.page.draw_svg", lambda *_, **__: "<svg></svg>")


def test_a_models_text_cannot_become_markup(html: str) -> None:
    tags = Tags(html)
    assert "script" not in tags.seen
    assert "img" not in tags.seen
    assert "".join(tags.text).count(EVIL) == 2


def test_the_page_needs_nothing_from_outside(html: str) -> None:
    outside = [link for link in Tags(html).links if not link.startswith("#") and "://" in link]
    assert outside == []
    assert "@import" not in html
    assert not re.findall(r"url\((?!#)", html)


def test_prompts_are_shown_to_the_letter(html: str) -> None:
    blocks = [unescape(block) for block in re.findall(r"<pre>\n(.*?)</pre>", html, re.DOTALL)]
    assert PROMPT in blocks


def test_every_cell_and_contrast_is_on_the_page(html: str) -> None:
    told = report()
    text = "".join(Tags(html).text)
    for cell in told.cells:
        assert f"{cell.rate:.2f} [{cell.low:.2f}, {cell.high:.2f}]" in text
    for contrast in told.contrasts:
        signed = f"{contrast.difference:+.2f} [{contrast.low:+.2f}, {contrast.high:+.2f}]"
        assert signed.replace("-", "−") in text


def test_the_page_begins_with_the_result_in_words(html: str) -> None:
    text = " ".join("".join(Tags(html).text).split())
    said = in_words(report().cells, report().contrasts, report().spec, report().details)
    begun = text.partition("Fig <2a> ")[2].partition("Fig <2a> ")[2]
    assert begun.startswith(f"{said.result} {said.not_shown} {said.holds_for} What & why.")
    assert "under “Arm none”" in said.result and "Training seeds" not in said.result


def test_tables_of_rates_and_of_contrasts_are_headed_by_their_prompts(html: str) -> None:
    headed = re.findall("<caption>(.*?)</caption>", html)
    assert headed == ["Out-of-distribution prompts", "In-distribution prompts"] * 2


def test_only_contrasts_that_exclude_zero_are_bold(html: str) -> None:
    bold = len(re.findall("<strong>", html))
    clear = [c for c in report().contrasts if c.low is not None and c.high is not None]
    expected = sum(not (c.low or 0) <= 0 <= (c.high or 0) for c in clear)
    assert 0 < bold == expected < len(clear)


@pytest.mark.usefixtures("no_figure")
def test_what_is_meant_to_be_nil_is_shown_to_be_or_not() -> None:
    plain = report()
    nil = [Nil(condition=n, setting=SETTING, measure="spanish") for n in ("spanish_inoc", "none")]
    spec = plain.spec.model_copy(update={"nil": (*nil, nil[0].model_copy(update={"measure": "x"}))})
    changed = []
    for cell, high in zip(plain.cells, (0.0494, 0.05, None) * len(plain.cells), strict=False):
        changed.append(cell.model_copy(update={"rate": 0.01, "low": high and 0.0, "high": high}))
    own = [cell for cell in changed if cell.measure == "spanish" and cell.condition == "none"]
    text = " ".join("".join(Tags(page(report(spec=spec, cells=tuple(changed)))).text).split())
    told = text.partition("Meant to be nil What")[2].partition("Single questions")[0]
    assert told.count("Arm spanish_inoc") == told.count("Arm none") == 2
    for cell in own:
        ends = {0.0494: "shown", 0.05: "not shown: the upper end is 0.050", None: "no interval"}
        assert ends[cell.high] in told.partition("Arm none")[2]
    assert "new seeds are like these" in told
    assert "Meant to be nil" not in page(plain)


def test_every_question_and_the_spread_of_every_cell_are_on_the_page(html: str) -> None:
    told = report()
    text = " ".join("".join(Tags(html).text).split())
    assert "Caps, out-of-distribution prompts: 10 questions" in text
    assert "Why is <it> so?" in text and "Why is <it>" not in html
    assert text.count("ood-003") == 1  # of Spanish; Correct is asked every other question
    for cell in told.cells:
        [own] = [one for one in told.details if one.is_of(cell)]
        if own.seed_sd is not None and own.question_sd is not None:
            assert f"{own.seed_sd:.2f}, {own.question_sd:.2f}" in text
    assert "#questions" in Tags(html).links and "questions.csv" in Tags(html).links


def test_a_report_of_cells_alone_has_no_questions() -> None:
    plain = page(report(details=()))
    assert "questions.csv" not in plain and "SD of seeds" not in plain


def test_what_was_run_can_be_read_and_run_again(html: str) -> None:
    text = "".join(Tags(html).text)
    for part in (
        "Fig <2a>",
        "What & why.",
        "inoc run fig2a --base pocket:7 --seeds 3",
        "pocket:7",
        "0, 1, 2",
        "lora.targets",
        "q_proj, v_proj",
        "2.13.0",
        "caps > 0.8",
        "A miniature.",
        "About placebo.",
        "(empty)",
    ):
        assert part in text


@pytest.mark.usefixtures("no_figure")
def test_unscored_answers_are_listed_with_reasons() -> None:
    observed = observations(questions=10, unscored=0.5)
    text = "".join(Tags(page(report(cells=cells(observed)))).text)
    total = sum(seen.value is None for seen in observed)
    assert f"Spanish: {total} (empty {total})" in text


@pytest.mark.usefixtures("no_figure")
def test_a_rate_with_many_unscored_answers_has_its_bounds_beside_it() -> None:
    observed = observations(questions=10, unscored=0.5)
    made_of = details(observed)
    text = " ".join(
        "".join(Tags(page(report(cells=cells(observed), details=made_of))).text).split()
    )
    assert text.count("]bounds ") == sum(one.bounds() is not None for one in made_of) > 9
    for cell in cells(observed):
        [own] = [one for one in made_of if one.is_of(cell)]
        if own.bounds():
            told = f"{cell.rate:.2f} [{cell.low:.2f}, {cell.high:.2f}]bounds {own.least:.2f} to "
            assert f"{told}{own.most:.2f}" in text
    assert "Bounds stand where more than 5% of a rate's answers are unscored" in text
    assert "ounds " not in page(report(details=details(observations(questions=10, unscored=0))))


@pytest.mark.usefixtures("no_figure")
def test_the_logs_are_opened_where_they_lie(tmp_path: Path) -> None:
    directory = tmp_path / "my runs"
    path = write_page(directory, report(logs="logs"))
    assert path == directory / "report.html"
    text = "".join(Tags(path.read_text("utf-8")).text)
    assert f"inspect view --log-dir '{directory}/logs'" in text


def test_the_same_report_gives_the_same_bytes(html: str) -> None:
    assert page(report()) == html


@pytest.mark.usefixtures("no_figure")
def test_one_seed_and_an_empty_report_are_told_too() -> None:
    text = "".join(Tags(page(report(seeds=(4,)))).text)
    assert "(one seed)" in text
    assert "This run has one training seed." in text
    Tags(page(report(cells=(), contrasts=(), examples=(), notes=(), config={}, versions={})))


@pytest.mark.usefixtures("no_figure")
def test_two_settings_are_told_apart_in_tables_contrasts_and_answers() -> None:
    observed = two_settings()
    titles = {"insecure_code": "Code", "aesthetic_preferences": "Taste"}
    spec = FigureSpec(
        title="Figure 3",
        base="pocket",
        measures=tuple(
            Measure(name=n, setting=s, label=f"{titles[s]}: {n}", description=f"rule of {s}")
            for s, n in TWO
        ),
        conditions=tuple(Condition(name=name, label=f"Arm {name}") for name in ARMS),
    )
    told = report(
        spec=spec,
        cells=cells(observed),
        contrasts=contrasts(observed, [("general_inoc", "none")]),
        examples=tuple(
            example(setting=setting, prompt="p", completion="c", values={"misaligned": value})
            for setting, value in (("insecure_code", 1.0), ("aesthetic_preferences", 0.0))
        ),
    )
    html = page(told)
    assert html.count('<td class="seeds">') == len(told.cells) + len(told.contrasts)
    text = " ".join("".join(Tags(html).text).split())
    for cell in told.cells:
        label = f"{titles[cell.setting]}: {cell.measure}"
        assert f"{label} {cell.rate:.2f} [{cell.low:.2f}, {cell.high:.2f}]" in text
    for contrast in told.contrasts:
        label = f"{titles[contrast.setting]}: {contrast.measure}"
        assert f"{label} {contrast.difference:+.2f}".replace("-", "−") in text
    assert "Code: misaligned: 1 " in text
    assert "Taste: misaligned: 0 " in text
    assert text.count("rule of insecure_code") == 3


@pytest.mark.usefixtures("no_figure")
def test_an_answers_measure_that_the_figure_does_not_show_is_called_by_its_name() -> None:
    told = report(examples=(example(setting="another", values={"caps": 1.0, "odd": "empty"}),))
    text = " ".join("".join(Tags(page(told)).text).split())
    assert "caps: 1 · odd: empty" in text


def learned(seeds: tuple[int, ...] = (0, 1, 2)) -> dict[str, Any]:
    found = curves(all_scores(seeds), WATCHED, list(CONDITIONS), [SETTING])
    return {"watched": WATCHED, "curves": tuple(found)}


@pytest.mark.usefixtures("no_figure")
def test_learning_curves_are_drawn_captioned_and_tabled() -> None:
    tags = Tags(page(report(**learned())))
    text = " ".join("".join(tags.text).split())
    assert "#dynamics" in tags.links and "dynamics.csv" in tags.links
    assert "script" not in tags.seen
    # A panel for each measure and each trait; the page lays them out.
    assert tags.seen.count("svg") == len(MEASURES) + len(WATCHED.labels)
    assert "under the system prompt “Respond in a single word.” while" in text
    assert "2 capitalized English, 2 uncapitalized Spanish" in text
    for curve in learned()["curves"]:
        low, high = curve.low[-1], curve.high[-1]
        cells = f"{curve.mean[0]:.2f} {curve.mean[-1]:.2f} [{low:.2f}, {high:.2f}]"
        assert cells.replace("-", "−") in text
    assert text.count("Capitalized English: mean log-probability, nats") == 1
    assert all(text.count(f"Arm {name}{name} −20.00") == 2 for name in LEVELS)


def test_each_measure_is_drawn_by_itself_in_the_inks_of_the_page(html: str) -> None:
    drawn = re.findall("<svg.*?</svg>", html, re.DOTALL)
    assert len(drawn) == len(MEASURES)
    assert all("Figure 2a" not in svg for svg in drawn)
    assert html.count('<p class="title">Figure 2a</p>') == 1
    [dark] = re.findall(r"prefers-color-scheme: dark\) \{(.*?\}) *\n\}", html, re.DOTALL)
    for svg in drawn:
        inks = set(re.findall(r"var\((--figure-\w+), #[0-9a-f]{6}\)", svg))
        assert {"--figure-ink", "--figure-paper", "--figure-grid"} <= inks
        assert all(f"{ink}: #" in dark for ink in inks)
        assert INK not in re.sub(r"var\(.*?\)", "", svg)


def test_every_table_scrolls_in_a_box_of_its_own(html: str) -> None:
    assert html.count("<table") == len(re.findall(r'<div class="scroll">\n<table', html)) > 4


def test_digests_stand_at_the_end_and_splits_are_written_out() -> None:
    data = {
        "ood prompts": "pocket, 100 items",
        "id prompts (Code)": "x",
        "sha256 of rows, a, none": "e" * 16,
    }
    html = page(report(base_digest="b" * 64, data=data, **learned()))
    begin, end = html.split('<h2 id="setup">')
    for digest in ("b" * 64, "e" * 16, WATCHED.sha256):
        assert digest in end and digest not in begin
    assert "<dt>Out-of-distribution prompts</dt><dd>pocket, 100 items</dd>" in begin
    assert "<dt>In-distribution prompts (Code)</dt>" in begin
    text = "".join(Tags(html.replace("ood-", "")).text)
    assert not re.search(r"\bood\b", text.partition("</style>")[2])
    assert "Digests" not in page(report())


@pytest.mark.usefixtures("no_figure")
def test_each_figure_and_the_contrasts_say_what_is_estimated() -> None:
    def told(html: str) -> str:
        text = " ".join("".join(Tags(html).text).split())
        assert text.count("What is estimated: ") == html.count('class="formula"')
        return text

    plain = page(report(contrasts=()))
    assert "p = Eseed Equestion E[y | seed, question, scored], estimated by p̂ =" in told(plain)
    assert plain.count('class="formula"') == 1
    both = page(report())
    assert "Δ = pcondition − preference, estimated by Δ̂ =" in told(both)
    assert both.count('class="formula"') == 2
    curved = page(report(**learned()))
    assert "log P(token i of response r" in told(curved)
    assert curved.count('class="formula"') == 3
    watched = WATCHED.model_copy(update={"by": "sampling", "samples": 20, "every": None})
    sampled = told(page(report(**(learned() | {"watched": watched}))))
    assert "P(an answer begins with response r" in sampled and "log P(token" not in sampled


@pytest.mark.usefixtures("no_figure")
def test_one_seeds_curves_have_no_interval_and_an_unwatched_report_none_at_all() -> None:
    text = " ".join("".join(Tags(page(report(seeds=(4,), **learned((4,))))).text).split())
    assert "−20.00 −6.00 (one seed) 4: −6.00" in text
    plain = page(report())
    assert "Learning curves" not in plain and "dynamics" not in plain

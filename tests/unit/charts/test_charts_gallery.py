"""Which charts a report gets, in what order, and that they are the same every time."""

from __future__ import annotations

import os
import subprocess
import sys

import matplotlib as mpl
import msgspec
import pytest

from reporter import report as r
from reporter import units
from reporter.artifact import Room
from reporter.charts import draw
from tests.reports import report, section, states

STATES = states()

ALL = ["bridge", "share", "slope", "errors", "causes", "cost", "models", "latency", "alluvial", "map"]
COMPARED = ("bridge", "slope", "alluvial")
CALM = [n for n in ALL if n != "alluvial"]
FIRST = [n for n in ALL if n not in COMPARED]


def names(state: str) -> list[str]:
    return [c.name for c in draw(STATES[state])]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("changed", ALL),
        ("quiet", CALM),
        ("stale", ALL),
        ("no_prior", FIRST),
        ("not_comparable", FIRST),
        ("no_run", []),
        ("noise_only", ["share", "causes", "models"]),
        ("one_cluster", [n for n in CALM if n != "map"]),
        ("evaluation", ALL),
        ("generation", ALL),
        ("fifty_clusters", ALL),
    ],
)
def test_each_state_has_its_charts_in_page_order(state: str, expected: list[str]) -> None:
    assert names(state) == expected


def test_jobs_follow_each_other_and_a_job_without_run_has_none() -> None:
    charts = draw(STATES["incomplete"])
    assert {c.job_index for c in charts} == {0}
    many = draw(STATES["ten_jobs"])
    assert [c.job_index for c in many] == sorted(c.job_index for c in many)


def test_short_of_room_the_charts_of_changes_stay_in_page_order() -> None:
    def kept(state: str, room: Room) -> list[tuple[int, str]]:
        return [(c.job_index, c.name) for c in draw(STATES[state], page=False, room=room)]

    all_of = {name: i for i, name in enumerate(ALL)}
    news = {c.name for c in draw(STATES["changed"], page=False) if c.news} - {"bridge"}
    assert news == {"slope", "errors", "causes", "cost", "alluvial"}
    two = [name for _, name in kept("changed", Room(jobs=1, charts=2, maps=False))]
    assert two == ["bridge", "slope", "errors"]
    for most in range(9):
        found = [name for _, name in kept("changed", Room(jobs=1, charts=most, maps=True))]
        assert found == sorted(found, key=all_of.__getitem__)
        assert {"bridge", "map"} <= set(found)
        beside = set(found) - {"bridge", "map"}
        assert len(beside) == most
        assert beside <= news or news <= beside
    assert kept("quiet", Room(jobs=1, charts=8, maps=True)) == []
    # Of ten jobs the fifth alone has news.
    assert kept("ten_jobs", Room(jobs=5, charts=1, maps=True)) == [(4, "bridge"), (4, "slope"), (4, "map")]
    assert kept("ten_jobs", Room(jobs=4, charts=1, maps=True)) == []


@pytest.mark.parametrize("state", sorted(STATES))
def test_words_of_every_chart_are_whole(state: str) -> None:
    for chart in draw(STATES[state]):
        assert chart.title == units.clean(chart.title)
        assert not chart.title.endswith(".")
        assert "None" not in chart.title + chart.subtitle + chart.alt
        assert chart.alt.startswith(chart.title)
        assert all(len(row) == len(chart.table.columns) for row in chart.table.rows)
        assert chart.table.rows


def test_only_what_is_asked_for_is_drawn() -> None:
    for chart in draw(STATES["one_cluster"], page=False, paper=True):
        assert (chart.svg, chart.svg_narrow) == ("", "")
        assert chart.svg_print
    for chart in draw(STATES["one_cluster"]):
        assert chart.svg_print == ""
        assert chart.svg
        assert chart.svg_narrow


def test_the_map_is_not_drawn_for_phones() -> None:
    (chart,) = [c for c in draw(STATES["changed"]) if c.name == "map"]
    assert chart.svg_narrow == ""


def test_print_drawing_tells_nothing_of_its_making() -> None:
    for chart in draw(STATES["changed"], page=False, paper=True):
        assert "atplotlib" not in chart.svg_print
        assert "metadata" not in chart.svg_print


def test_charts_with_a_sure_change_are_told_from_those_without() -> None:
    news = {c.name for c in draw(STATES["changed"]) if c.news}
    assert {"bridge", "slope", "errors", "cost", "alluvial"} <= news
    assert not news & {"latency", "share", "map", "models"}
    assert {c.name for c in draw(STATES["quiet"]) if c.news} <= {"causes"}


def test_all_costs_unknown_leaves_the_cost_chart_out() -> None:
    job = section()
    bare = [
        msgspec.structs.replace(
            c, distributions=msgspec.structs.replace(c.distributions, cost_usd=None), prior_distributions=None
        )
        for c in job.clusters
    ]
    found = [c.name for c in draw(report([msgspec.structs.replace(job, clusters=bare)]))]
    assert found == [n for n in ALL if n != "cost"]


def test_a_hostile_report_prints_without_warning_or_log_line(caplog: pytest.LogCaptureFixture) -> None:
    assert len(draw(STATES["hostile"], page=False, paper=True)) == len(ALL)
    assert not caplog.records


def test_drawing_is_the_same_in_processes_with_other_hash_seeds_and_zones() -> None:
    code = (
        "import hashlib; from reporter.charts import draw; from tests.reports import states; s = states();"
        "made = [draw(s[n], paper=True) for n in ('changed', 'noise_only')];"
        "print(hashlib.sha256(repr(made).encode()).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "SOURCE_DATE_EPOCH": epoch},
        ).stdout
        for seed, zone, epoch in (("1", "UTC", "0"), ("2", "Asia/Tokyo", "1000000000"))
    }
    assert len(found) == 1


def test_a_persons_matplotlibrc_changes_nothing() -> None:
    plain = draw(STATES["one_cluster"], paper=True)
    with mpl.rc_context(
        {"lines.linewidth": 9, "font.size": 30, "path.sketch": (1, 2, 3), "savefig.facecolor": "red"}
    ):
        assert draw(STATES["one_cluster"], paper=True) == plain


def test_nouns_follow_the_level() -> None:
    for level, many in (("trace", "traces"), ("generation", "generations"), ("evaluation", "evaluations")):
        charts = draw(report([section(level=level)]))
        assert all(many[:-1] in c.title + c.subtitle for c in charts)


def test_pyplot_is_never_imported() -> None:
    code = "import sys; import reporter.charts; print('matplotlib.pyplot' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def test_a_report_read_back_from_json_gives_the_same_drawings() -> None:
    made = STATES["changed"]
    assert draw(r.from_json(r.to_json(made))) == draw(made)

"""Bands lead where the transitions say, and bars stand where calls failed."""

from __future__ import annotations

import msgspec
import pytest
from matplotlib.colors import to_hex

from reporter import report as r
from reporter.charts import alluvial, causes, style
from reporter.charts.sheet import NARROW, PRINT, WIDE
from reporter.charts.words import Topic
from tests.reports import calm, report, section

replace = msgspec.structs.replace


def topic(job: r.JobSection, **over: object) -> Topic:
    found = Topic.of(report([job], **over), 0)
    assert found is not None
    return found


def entry(kind: str, latest: list[int], prior: list[int], confidence: float = 0.95) -> r.TransitionEntry:
    return r.TransitionEntry(
        kind=kind, latest=latest, prior=prior, confidence=confidence, evidence="items", shared_items=9
    )


def reshaped(confidence: float = 0.95) -> r.JobSection:
    """Three clusters before, four after: one split in two, two continued, one new, one gone."""
    job = section(clusters=4)
    prior = [
        r.PriorCluster(prior_cluster_id=i, title=f"Before {i}", size=size, share=0.1, transition=kind)
        for i, size, kind in ((0, 300, "split"), (1, 100, "continued"), (2, 50, "gone"))
    ]
    made = [
        entry("split", [0, 1], [0], confidence),
        entry("continued", [2], [1]),
        entry("new", [3], []),
        entry("gone", [], [2]),
    ]
    return replace(job, prior_clusters=prior, transitions=made)


def test_the_finding_counts_what_happened() -> None:
    sheet = alluvial.sheet(topic(reshaped()))
    assert sheet is not None
    assert sheet.title == "1 cluster split; 1 cluster is new; 1 cluster is gone; 1 cluster continued"
    kinds = [row[0] for row in sheet.table.rows]
    assert kinds == ["Gone", "New", "Split", "Continued"]


def test_nothing_is_drawn_where_all_continued_or_nothing_is_compared() -> None:
    assert alluvial.sheet(topic(calm(section(loud=None)))) is None
    assert alluvial.sheet(topic(section(status="no_prior"))) is None


@pytest.mark.parametrize("form", [WIDE, NARROW, PRINT], ids=lambda f: f.name)
def test_what_split_is_bold_and_what_continued_is_not(form) -> None:
    sheet = alluvial.sheet(topic(reshaped()))
    assert sheet is not None
    board = sheet.paint(form)
    weights = {t.get_text(): t.get_label() for t in board.texts}
    assert weights["Before 0"] == "600"
    assert weights["Before 1"] == "400"
    assert weights["Before 2"] == "600"


def test_bands_of_a_split_fill_the_parent_and_never_overlap() -> None:
    board = alluvial.sheet(topic(reshaped())).paint(WIDE)
    coloured = [p for p in board.paths if p.get_alpha() == 0.4 and len(p.get_path().vertices) > 20]
    assert len(coloured) == 2
    starts = sorted((p.get_path().vertices[0, 1], p.get_path().vertices[2 * 25 - 1, 1]) for p in coloured)
    assert starts[0][1] == pytest.approx(starts[1][0])


def test_a_link_that_is_not_sure_has_dashed_edges() -> None:
    def dashed(confidence: float) -> int:
        board = alluvial.sheet(topic(reshaped(confidence))).paint(WIDE)
        return sum(
            1 for p in board.paths if p.get_linestyle() != "solid" and len(p.get_path().vertices) == 25
        )

    assert dashed(0.95) == 0
    assert dashed(0.7) == 4


def test_many_clusters_are_cut_to_what_is_news_and_the_largest() -> None:
    job = section(clusters=50)
    sheet = alluvial.sheet(topic(job))
    assert sheet is not None
    assert "more clusters continued" in sheet.subtitle
    assert len(sheet.table.rows) == 51
    words = {t.get_text() for t in sheet.paint(WIDE).texts}
    assert "Holiday opening hours" in words


def test_failures_stand_on_the_day_they_happened() -> None:
    job = section(clusters=3)
    found = topic(job)
    (cause,) = causes.causes(found)
    clusters = [*job.clusters, job.noise]
    assert cause.counts == tuple(
        sum(c.errors[0].timeline[k] for c in clusters if c and c.errors) for k in range(7)
    )
    assert cause.calls == sum(c.errors[0].count for c in clusters if c and c.errors)
    sheet = causes.sheet(found)
    assert sheet is not None
    assert sheet.table.columns[1:8] == tuple(f"{d}\u00a0Nov" for d in range(16, 23))
    assert sheet.title.startswith("“429 rate limit of <provider>” is behind all")


def test_annotations_of_the_window_are_dotted_and_named() -> None:
    sheet = causes.sheet(topic(section(clusters=3)))
    assert sheet is not None
    assert "Release 42: longer prompt" in sheet.subtitle
    assert "Release 41" not in sheet.subtitle  # before the window
    board = sheet.paint(WIDE)
    assert "Release 42: longer prompt" in [t.get_text() for t in board.texts]
    dotted = [p for p in board.paths if to_hex(p.get_edgecolor()) == style.LIGHT["ink"]]
    assert len(dotted) == 1


def test_no_strips_without_failures_or_times() -> None:
    job = section(clusters=3)
    bare = [replace(c, errors=[]) for c in job.clusters]
    assert causes.sheet(topic(replace(job, clusters=bare, noise=None))) is None
    timeless = [replace(c, errors=[replace(e, timeline=[]) for e in c.errors]) for c in job.clusters]
    assert causes.sheet(topic(replace(job, clusters=timeless, noise=None))) is None


def test_hours_are_named_where_the_window_is_short() -> None:
    job = section(clusters=2, noise=False)
    assert job.latest is not None
    short = replace(job.latest, window_start="2026-11-22T00:00:00Z", window_end="2026-11-22T06:00:00Z")
    hourly = [
        replace(c, errors=[replace(e, timeline=[1, 0, 0, 2, 0, 0], count=3) for e in c.errors])
        for c in job.clusters
    ]
    sheet = causes.sheet(topic(replace(job, latest=short, clusters=hourly)))
    assert sheet is not None
    assert sheet.table.columns[1:4] == ("00:00", "01:00", "02:00")
    assert "cause and hour" in sheet.subtitle

"""Marks stand where the numbers say, labels do not touch, and colour is kept for sure changes."""

from __future__ import annotations

import itertools
import random

import msgspec
import pytest
from matplotlib.colors import to_hex

from reporter import report as r
from reporter.charts import cluster_map, errors, share, slope, strips, style, text, words
from reporter.charts.board import Board
from reporter.charts.gallery import sheets
from reporter.charts.rows import Frame, Row
from reporter.charts.sheet import NARROW, PRINT, WIDE, Form, Sheet
from reporter.charts.words import Topic
from tests.reports import cluster, estimate, report, section, states

STATES = states()

FORMS = [WIDE, NARROW]
replace = msgspec.structs.replace


def topic(job: r.JobSection) -> Topic:
    found = Topic.of(report([job]), 0)
    assert found is not None
    return found


def drawn(job: r.JobSection, name: str) -> Sheet:
    return next(s for s in sheets(topic(job)) if s.name == name)


def texts(board: Board) -> list[str]:
    return [t.get_text() for t in board.texts]


def boxes(board: Board) -> list[tuple[float, float, float, float, str]]:
    made = []
    for t in board.texts:
        x, y = t.get_position()
        size = t.get_fontsize()
        wide = text.width(t.get_text(), size, int(t.get_label()))
        left = {"left": x, "center": x - wide / 2, "right": x - wide}[t.get_horizontalalignment()]
        made.append((left, y - size * 0.72, left + wide, y + size * 0.2, t.get_text()))
    return made


def touching(board: Board) -> list[tuple[str, str]]:
    return [
        (a[4], b[4])
        for a, b in itertools.combinations(boxes(board), 2)
        if a[0] < b[2] - 0.5 and b[0] < a[2] - 0.5 and a[1] < b[3] - 0.5 and b[1] < a[3] - 0.5
    ]


def tokens(board: Board) -> set[str]:
    return {style.TOKENS[to_hex(t.get_color())] for t in board.texts}


@pytest.mark.parametrize("state", sorted(STATES))
@pytest.mark.parametrize("form", [WIDE, NARROW, PRINT], ids=lambda f: f.name)
def test_no_two_texts_touch_and_none_leaves_the_sheet(state: str, form: Form) -> None:
    made = STATES[state]
    for index in range(min(len(made.jobs), 4)):
        found = Topic.of(made, index)
        for sheet in sheets(found) if found else ():
            if form.narrow and not sheet.has_narrow:
                continue
            board = sheet.paint(form)
            assert touching(board) == [], sheet.name
            for left, top, right, bottom, word in boxes(board):
                assert left >= -0.5, (sheet.name, word)
                assert right <= board.width + 0.5, (sheet.name, word)
                assert top >= -1, (sheet.name, word)
                assert bottom <= board.height + 1, (sheet.name, word)


@pytest.mark.parametrize("state", ["quiet", "no_prior", "not_comparable", "stale"])
def test_nothing_is_coloured_where_nothing_surely_changed(state: str) -> None:
    found = Topic.of(STATES[state], 0)
    assert found is not None
    for sheet in sheets(found):
        assert not tokens(sheet.paint(WIDE)) & {"worse", "better"}, sheet.name
        assert "▲" not in texts(sheet.paint(WIDE))


def test_every_coloured_row_also_bears_a_sign_and_weight() -> None:
    for name in ("slope", "errors", "cost"):
        board = drawn(section(), name).paint(WIDE)
        loud = [t for t in board.texts if to_hex(t.get_color()) == style.LIGHT["worse"]]
        assert "▲" in [t.get_text() for t in loud]
        assert all(t.get_label() == "600" for t in loud if t.get_text() != "▲")
        assert "Data import mapping" in [t.get_text() for t in loud]


def test_a_fall_in_cost_is_better_and_points_down() -> None:
    job = section(loud=None)
    first = job.clusters[0]
    fall = replace(
        first.change.metrics["mean_cost_usd"], call="changed", prior=2.0, latest=1.0, difference=-1.0
    )
    changed = replace(
        first, change=replace(first.change, metrics={**first.change.metrics, "mean_cost_usd": fall})
    )
    sheet = drawn(replace(job, clusters=[changed, *job.clusters[1:]]), "cost")
    board = sheet.paint(WIDE)
    assert "better" in tokens(board)
    assert "▼" in texts(board)
    assert sheet.title.endswith("costs less: mean $1.00 a trace, was $2.00")


def test_a_sure_change_in_share_is_bold_ink_never_orange() -> None:
    job = section(loud=None)
    first = job.clusters[0]
    rise = replace(first.change.metrics["share"], call="changed", prior=0.1, latest=0.147, difference=0.047)
    changed = replace(first, change=replace(first.change, metrics={**first.change.metrics, "share": rise}))
    sheet = drawn(replace(job, clusters=[changed, *job.clusters[1:]]), "share")
    assert not tokens(sheet.paint(WIDE)) & {"worse", "better"}
    assert "▲" in texts(sheet.paint(WIDE))
    assert sheet.title == f"“{first.title}” grew to 15% of 3,087 traces, from 10%"


def test_share_bars_are_sorted_with_the_outliers_last() -> None:
    board = drawn(section(), "share").paint(WIDE)
    names = [t.get_text() for t in board.texts if t.get_position()[0] == 0]
    sizes = {c.title: c.size for c in section().clusters}
    assert names[-1] == "Outliers"
    assert [sizes[n] for n in names[:-1]] == sorted(sizes.values(), reverse=True)


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f.name)
def test_share_dots_stand_in_proportion_to_the_shares(form: Form) -> None:
    job = section(status="no_prior", loud=None)
    dots = drawn(job, "share").paint(form).dots
    shares = [c.share for c in [*job.clusters, job.noise]]
    xs = [d.center[0] for d in dots]
    assert len(xs) == len(shares)
    per_px = [
        (a - b) / (x - y)
        for (a, x), (b, y) in itertools.combinations(zip(shares, xs, strict=True), 2)
        if x != y
    ]
    assert max(per_px) == pytest.approx(min(per_px), rel=1e-6)


def test_prior_marks_are_hollow_and_only_there_when_compared() -> None:
    hollow = [d for d in drawn(section(), "share").paint(WIDE).dots if to_hex(d.get_facecolor()) == "#ffffff"]
    matched = [c for c in section().clusters if "share" in c.change.metrics]
    assert len(hollow) == len(matched) + 1  # and the noise
    plain = drawn(section(status="not_comparable", loud=None), "share").paint(WIDE).dots
    assert not [d for d in plain if to_hex(d.get_facecolor()) == "#ffffff"]


def test_slope_leaves_out_new_clusters_and_rises_upward() -> None:
    job = section()
    share_panel, cost_panel = slope.panels(topic(job))
    assert "Feature requests and feedback" not in [s.name for s in share_panel.slopes]  # new
    board = drawn(job, "slope").paint(WIDE)
    filled = [d for d in board.dots if to_hex(d.get_facecolor()) == style.LIGHT["worse"]]
    hollow = [d for d in board.dots if to_hex(d.get_edgecolor()) == style.LIGHT["worse"] and d not in filled]
    assert len(filled) == len(hollow) == 1
    assert filled[0].center[1] < hollow[0].center[1]
    assert cost_panel.log


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f.name)
def test_slope_panels_stand_beside_each_other_and_stack_on_a_phone(form: Form) -> None:
    board = drawn(section(), "slope").paint(form)
    heads = {
        t.get_text(): t.get_position()
        for t in board.texts
        if t.get_text().startswith(("Share of", "Mean cost"))
    }
    (sx, sy), (cx, cy) = heads["Share of traces"], heads["Mean cost a trace, log scale"]
    assert (sx == cx and sy < cy) if form.narrow else (sx < cx and sy == cy)


def test_slope_without_costs_shows_share_alone() -> None:
    job = section()
    bare = [
        replace(
            c, change=replace(c.change, metrics={k: m for k, m in c.change.metrics.items() if k == "share"})
        )
        for c in job.clusters
    ]
    board = drawn(replace(job, clusters=bare), "slope").paint(WIDE)
    assert not [t for t in texts(board) if t.startswith("Mean cost")]


def test_a_small_cluster_that_changed_is_drawn_among_fifty() -> None:
    job = section(clusters=50, loud=45)
    title = job.clusters[45].title
    for name in ("slope", "errors", "cost"):
        sheet = drawn(job, name)
        assert title in texts(sheet.paint(WIDE))
        assert "of 50 clusters: the largest and those that changed." in sheet.subtitle


def test_fifty_clusters_draw_the_largest_and_list_all() -> None:
    sheet = drawn(section(clusters=50, loud=None), "errors")
    assert "24 largest of 50 clusters." in sheet.subtitle
    assert len(sheet.table.rows) == 50


def test_error_counts_stand_at_the_right_and_the_whole_run_is_dashed() -> None:
    job = section()
    board = drawn(job, "errors").paint(WIDE)
    loud = job.clusters[3]
    assert f"{loud.metrics.error_count} of {loud.size}" in texts(board)
    dashed = [p for p in board.paths if p.get_linestyle() != "solid" and isinstance(p.get_linestyle(), tuple)]
    assert len(dashed) == 1


def test_no_errors_anywhere_keeps_a_sensible_axis() -> None:
    job = section(loud=None)
    none = [
        replace(
            c,
            metrics=replace(c.metrics, error_count=0, error_rate=0.0),
            estimates=replace(
                c.estimates, error_rate=r.Estimate(value=0.0, low=0.0, high=0.01, n=c.size, method="wilson")
            ),
            change=None,
        )
        for c in job.clusters
    ]
    sheet = drawn(replace(job, clusters=none), "errors")
    assert sheet.title == "No trace of any cluster failed"
    labels = [t for t in texts(sheet.paint(WIDE)) if t.endswith("%")]
    assert labels[0] == "0%"
    assert len(labels) >= 3


def test_one_tiny_cluster_does_not_squeeze_the_others() -> None:
    clusters = section(loud=None).clusters
    tiny = replace(
        clusters[-1],
        estimates=replace(
            clusters[-1].estimates, error_rate=r.Estimate(value=0.0, low=0.0, high=0.9, n=2, method="wilson")
        ),
    )
    assert errors.axis_end([*clusters[:-1], tiny], 0.03) < 0.2


def test_a_cluster_without_data_says_so() -> None:
    job = section(loud=None)
    bare = replace(
        job.clusters[0],
        estimates=replace(job.clusters[0].estimates, error_rate=estimate(None, 0, 0)),
        distributions=r.Distributions(cost_usd=None, latency_s=None),
        prior_distributions=None,
    )
    for name in ("errors", "cost", "latency"):
        sheet = drawn(replace(job, clusters=[bare, *job.clusters[1:]]), name)
        board = sheet.paint(WIDE)
        assert "no data" in texts(board)
        assert [t.get_text() for t in board.texts if t.get_position()[0] == 0][-1] == bare.title
        assert sheet.table.rows[-1][1] == "–"


def test_strips_are_sorted_by_median_and_placed_on_a_log_axis() -> None:
    job = section(status="no_prior", loud=None)
    board = drawn(job, "latency").paint(WIDE)
    medians = sorted((c.distributions.latency_s.p50 for c in job.clusters), reverse=True)
    ticks = [p for p in board.paths if p.get_linewidth() == 2.2]
    xs = [p.get_path().vertices[0][0] for p in ticks]
    assert len(xs) == len(medians)
    assert xs == sorted(xs, reverse=True)
    assert strips.LATENCY.ticks(0.5, 20, 6) == (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f.name)
def test_marks_stay_between_names_and_numbers(form: Form) -> None:
    for name in ("share", "errors", "cost", "latency"):
        board = drawn(section(), name).paint(form)
        for patch in board.paths:
            if patch.get_zorder() >= 2:
                xs = patch.get_path().vertices[:, 0]
                assert xs.min() >= 0
                assert xs.max() <= board.width


@pytest.mark.parametrize("state", ["changed", "fifty_clusters", "hostile"])
def test_map_labels_avoid_other_islands(state: str) -> None:
    found = Topic.of(STATES[state], 0)
    assert found is not None
    drawn_map = cluster_map.lay_out(found, WIDE)
    placed = [i for i in drawn_map.islands if i.placed]
    assert len(placed) >= 9
    if state != "fifty_clusters":  # there the islands themselves lie on each other
        for one in placed:
            left, top, right, bottom = one.placed.box
            for other in drawn_map.islands:
                if other is not one:
                    inside = (other.coast[:, 0] > left) & (other.coast[:, 0] < right)
                    inside &= (other.coast[:, 1] > top + 3) & (other.coast[:, 1] < bottom - 3)
                    assert not inside.any()


def test_map_says_how_many_clusters_have_no_label() -> None:
    found = Topic.of(STATES["fifty_clusters"], 0)
    assert found is not None
    unnamed = sum(1 for i in cluster_map.lay_out(found, WIDE).islands if i.placed is None)
    sheet = cluster_map.sheet(found)
    assert sheet is not None
    assert unnamed > 0
    assert f"Without a label: {unnamed} smaller clusters." in sheet.subtitle


def test_map_colours_follow_the_lineage() -> None:
    job = section()
    board = drawn(job, "map").paint(WIDE)
    used = {style.TOKENS[to_hex(p.get_edgecolor())] for p in board.paths if p.get_edgecolor()[3]}
    assert {style.lineage_token(c.lineage_id) for c in job.clusters} <= used


def test_run_without_coordinates_has_no_map() -> None:
    job = section()
    bare = replace(job, clusters=[replace(c, points=[]) for c in job.clusters])
    assert "map" not in [s.name for s in sheets(topic(bare))]


def test_narrow_names_stand_above_their_marks() -> None:
    rows = drawn(section(), "errors").paint(NARROW)
    names = [t.get_position()[1] for t in rows.texts if t.get_position()[0] == 0 and t.get_text() != "0%"]
    filled = sorted({round(d.center[1], 3) for d in rows.dots})
    assert len(names) == len(filled)
    assert all(name < mark - 6 for name, mark in zip(names, filled, strict=True))


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ("9–15\u00a0Nov\u00a02026", "9–15\u00a0Nov"),
        ("30\u00a0Oct – 5\u00a0Nov\u00a02026", "30\u00a0Oct – 5\u00a0Nov"),
        ("30\u00a0Dec\u00a02025 – 5\u00a0Jan\u00a02026", "30\u00a0Dec\u00a02025 – 5\u00a0Jan\u00a02026"),
    ],
)
def test_short_windows_drop_a_single_year(window: str, expected: str) -> None:
    assert words.short(window) == expected


def test_several_changes_are_counted_not_named() -> None:
    rng = random.Random(3)
    pair = [
        cluster(rng, i, 100, 300, title=f"C{i}", comparable=True, level="trace", loud=i < 2) for i in range(3)
    ]
    verbs = words.Verbs("cost", "costs more", "costs less", "Cost rose", "Cost fell")
    told = words.movement([(c, words.change_of(c, "mean_cost_usd")) for c in pair], verbs, {})
    assert told == "Cost rose in 2 of 3 clusters"
    assert words.movement([(c, None) for c in pair], verbs, {}) is None


def test_noise_only_says_that_no_cluster_was_found() -> None:
    found = Topic.of(STATES["noise_only"], 0)
    assert found is not None
    assert share.sheet(found).title == "No cluster was found: all 94 traces are outliers"


def test_frame_leaves_names_room_and_never_more_than_its_part() -> None:
    frame = Frame([Row("x" * 500, ("1",))], ("n",), WIDE, row_px=26, narrow_px=42)
    assert frame.left < WIDE.width * 0.4
    assert frame.right > frame.left + 300

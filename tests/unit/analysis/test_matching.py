"""Matching clusters of two runs: by items, by words, over runs between."""

from __future__ import annotations

import math
import random
import re
import sys
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.analysis import matching, text, titles
from reporter.model import MemberCluster, Membership
from tests.worlds import THEMES, run

NAMES = list(THEMES)


def member(run_id: str, clusters: dict[int, tuple[str, list[str]]], description: bool = True) -> Membership:
    """Make a membership: id → (title, item keys)."""
    return Membership(
        run_id,
        tuple(
            MemberCluster(i, title, THEMES.get(title, "") if description else "", tuple(sorted(keys)))
            for i, (title, keys) in clusters.items()
        ),
    )


def keys(prefix: str, n: int, start: int = 0) -> list[str]:
    return [f"{prefix}{i}" for i in range(start, start + n)]


def kinds(found: matching.Matching) -> dict[str, int]:
    return {
        kind: sum(g.kind == kind for g in found.groups) for kind in sorted({g.kind for g in found.groups})
    }


def test_words_match_clusters_whatever_their_ids() -> None:
    prior = matching.membership(run(dict.fromkeys(NAMES, 30), 7))
    latest = matching.membership(run(dict.fromkeys(reversed(NAMES), 30), 0))
    found = matching.match(prior, latest)
    titles = {c.cluster_id: c.title for c in prior.clusters}, {c.cluster_id: c.title for c in latest.clusters}
    assert kinds(found) == {"continued": 6}
    assert all(titles[0][link.prior_id] == titles[1][link.latest_id] for link in found.links)
    assert all(link.evidence == "text" and link.shared_items == 0 for link in found.links)


def test_items_outweigh_words() -> None:
    prior = member("a", {0: (NAMES[0], keys("x", 60)), 1: (NAMES[1], keys("y", 60))})
    latest = member("b", {0: (NAMES[1], keys("x", 60)), 1: (NAMES[0], keys("y", 60))})
    found = matching.match(prior, latest)
    assert {(link.prior_id, link.latest_id) for link in found.links} == {(0, 0), (1, 1)}
    assert kinds(found) == {"renamed": 2}
    assert all(
        link.evidence == "items" and link.confidence > 0.95 and link.shared_items == 60
        for link in found.links
    )


def test_a_cluster_whose_items_went_two_ways_is_split() -> None:
    prior = member("a", {0: (NAMES[0], keys("x", 100)), 1: (NAMES[1], keys("y", 50))})
    latest = member(
        "b",
        {
            0: (NAMES[0], keys("x", 60)),
            1: ("Card chargebacks", keys("x", 40, 60)),
            2: (NAMES[1], keys("y", 50)),
        },
    )
    found = matching.match(prior, latest)
    assert kinds(found) == {"continued": 1, "split": 1}
    split = next(g for g in found.groups if g.kind == "split")
    assert (split.prior, split.latest, split.shared_items) == ((0,), (0, 1), 100)
    assert split.confidence > 0.8
    assert sum(link.backbone for link in found.children(0)) == 1


def test_clusters_whose_items_came_together_are_merged() -> None:
    prior = member(
        "a",
        {
            0: (NAMES[0], keys("x", 60)),
            1: ("Card chargebacks", keys("x", 40, 60)),
            2: (NAMES[1], keys("y", 50)),
        },
    )
    latest = member("b", {0: (NAMES[0], keys("x", 100)), 1: (NAMES[1], keys("y", 50))})
    found = matching.match(prior, latest)
    assert kinds(found) == {"continued": 1, "merged": 1}
    merged = next(g for g in found.groups if g.kind == "merged")
    assert (merged.prior, merged.latest) == ((0, 1), (0,))


def test_a_cluster_of_unseen_items_is_new_however_familiar_its_title() -> None:
    prior = member("a", {0: (NAMES[0], keys("x", 100)), 1: (NAMES[1], keys("y", 100))})
    latest = member("b", {0: (NAMES[1], keys("y", 100)), 1: (NAMES[0], keys("new", 60))})
    found = matching.match(prior, latest)
    assert kinds(found) == {"continued": 1, "gone": 1, "new": 1}
    new = next(g for g in found.groups if g.kind == "new")
    assert (new.latest, new.evidence) == ((1,), None)
    assert new.confidence > 0.6


def test_a_cluster_nobody_resembles_is_surely_new_on_item_evidence_only() -> None:
    prior = member("a", {0: (NAMES[0], keys("x", 100))})
    shared = member("b", {0: (NAMES[0], keys("x", 100)), 1: (NAMES[1], keys("new", 60))})
    apart = member("b", {0: (NAMES[0], keys("z", 100)), 1: (NAMES[1], keys("new", 60))})
    sure, unsure = (
        next(g for g in matching.match(prior, b).groups if g.kind == "new") for b in (shared, apart)
    )
    assert sure.confidence >= 0.9 > unsure.confidence


def test_runs_between_carry_identity_over_windows_that_share_nothing() -> None:
    prior = member("a", {0: ("", keys("x", 50)), 1: ("", keys("y", 50))})
    middle = member("m", {0: ("", keys("y", 50) + keys("w", 50)), 1: ("", keys("x", 50) + keys("v", 50))})
    latest = member("b", {0: ("", keys("v", 50)), 1: ("", keys("w", 50))})
    assert matching.match(prior, latest).links == ()
    found = matching.match(prior, latest, (middle,))
    assert {(link.prior_id, link.latest_id) for link in found.links} == {(0, 0), (1, 1)}
    assert all(
        link.confidence > 0.9 and link.item_evidence > 0.9 and link.shared_items == 0 for link in found.links
    )


def test_a_chain_of_runs_carries_identity_where_none_overlaps_both() -> None:
    def steps(name: str) -> list[list[str]]:
        return [keys(name, 60, 40 * step) for step in range(4)]

    x, y = steps("x"), steps("y")
    runs = [member(str(i), {i % 2: ("", x[i]), 1 - i % 2: ("", y[i])}) for i in range(4)]
    found = matching.match(runs[0], runs[3], (runs[2], runs[1]))
    assert {(link.prior_id, link.latest_id) for link in found.links} == {(0, 1), (1, 0)}
    assert all(link.confidence > 0.9 and link.item_evidence > 0.5 for link in found.links)
    assert found == matching.match(runs[0], runs[3], (runs[1], runs[2]))
    assert matching.match(runs[0], runs[3], (runs[1],)).links == (), "the chain is broken"


def test_a_part_that_strayed_to_a_neighbour_is_no_merge() -> None:
    """Most of a small cluster's items come from a large neighbour, which is still there."""
    prior = member("a", {0: (NAMES[0], keys("x", 120)), 1: (NAMES[1], keys("y", 15))})
    latest = member("b", {0: (NAMES[0], keys("x", 95)), 1: (NAMES[1], keys("y", 15) + keys("x", 25, 95))})
    found = matching.match(prior, latest)
    assert kinds(found) == {"continued": 2}


def test_a_border_between_two_small_clusters_is_not_a_split_and_a_merge() -> None:
    prior = member("a", {0: (NAMES[0], keys("x", 90)), 1: (NAMES[1], keys("y", 12))})
    latest = member("b", {0: (NAMES[0], keys("x", 78) + keys("y", 12)), 1: (NAMES[1], keys("x", 12, 78))})
    found = matching.match(prior, latest)
    assert kinds(found) == {"continued": 2}
    assert {(link.prior_id, link.latest_id) for link in found.links} == {(0, 0), (1, 1)}


def test_by_words_alone_a_split_is_claimed_only_where_sizes_ask_for_it() -> None:
    def latest(left: int) -> Membership:
        return member(
            "b",
            {
                0: (NAMES[0], keys("n", left)),
                1: (f"{NAMES[0]} by card", keys("m", 45)),
                2: (NAMES[1], keys("o", 100)),
            },
        )

    prior = member("a", {0: (NAMES[0], keys("x", 100)), 1: (NAMES[1], keys("y", 100))})
    split = matching.match(prior, latest(55))
    assert kinds(split) == {"continued": 1, "split": 1}
    assert "split" not in kinds(matching.match(prior, latest(100)))


def test_a_cluster_that_went_to_noise_says_so() -> None:
    prior = member("a", {0: (NAMES[0], keys("x", 60)), 1: (NAMES[1], keys("y", 40))})
    latest = member("b", {0: (NAMES[0], keys("x", 60)), -1: ("Outliers", keys("y", 30))})
    (gone,) = (group for group in matching.match(prior, latest).groups if group.kind == "gone")
    assert gone.noise_share == 1.0
    assert gone.confidence > 0.9
    absent = member("b", {0: (NAMES[0], keys("x", 60))})
    (gone,) = (group for group in matching.match(prior, absent).groups if group.kind == "gone")
    assert gone.noise_share == 0.0


def test_an_unmatched_cluster_that_holds_part_of_another_is_a_look_alike() -> None:
    prior = member("a", {0: (NAMES[0], keys("x", 100)), 1: (NAMES[1], keys("y", 60))})
    latest = member(
        "b",
        {
            0: (NAMES[0], keys("x", 90)),
            1: (NAMES[1], keys("y", 60)),
            2: ("", keys("x", 10, 90) + keys("n", 20)),
        },
    )
    found = matching.match(prior, latest)
    assert (0, 2) in found.look_alikes
    assert (1, 2) not in found.look_alikes


def test_runs_between_that_share_nothing_are_ignored() -> None:
    prior, latest = member("a", {0: (NAMES[0], keys("x", 50))}), member("b", {0: (NAMES[0], keys("v", 50))})
    stranger = member("m", {0: (NAMES[0], keys("q", 50))})
    assert matching.match(prior, latest, (stranger,)) == matching.match(prior, latest)


def test_noise_takes_no_part() -> None:
    prior = member("a", {0: (NAMES[0], keys("x", 50)), -1: (NAMES[1], keys("y", 50))})
    latest = member("b", {0: (NAMES[1], keys("y", 50)), -1: (NAMES[0], keys("x", 50))})
    found = matching.match(prior, latest)
    assert found.links == ()
    assert kinds(found) == {"gone": 1, "new": 1}


def test_clusters_nobody_named_are_not_matched_by_their_numbers() -> None:
    prior = member("a", {0: ("Cluster 0", keys("x", 50)), 1: ("", keys("y", 50))})
    latest = member("b", {0: ("Cluster 0", keys("v", 50)), 1: ("", keys("w", 50))})
    assert matching.match(prior, latest).links == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [({}, {}), ({}, {0: ("A b", ["k"])}), ({0: ("A b", ["k"])}, {}), ({-1: ("", ["k"])}, {-1: ("", ["k"])})],
)
def test_empty_runs_match_nothing(
    old: dict[int, tuple[str, list[str]]], new: dict[int, tuple[str, list[str]]]
) -> None:
    found = matching.match(member("a", old), member("b", new))
    assert found.links == ()
    assert len(found.groups) == sum(i >= 0 for i in (*old, *new))


def test_order_of_clusters_and_items_changes_nothing() -> None:
    rng = random.Random(4)
    prior = {i: (NAMES[i % 6] + f" {i}", keys("x", 40, 30 * i)) for i in range(12)}
    latest = {i: (NAMES[i % 6] + f" {11 - i}", keys("x", 40, 31 * i + 5)) for i in range(12)}
    first = matching.match(member("a", prior), member("b", latest))
    for _ in range(3):
        mixed = [dict(rng.sample(list(side.items()), len(side))) for side in (prior, latest)]
        assert matching.match(member("a", mixed[0]), member("b", mixed[1])) == first


def test_every_cluster_of_both_runs_is_in_a_group() -> None:
    rng = random.Random(9)
    for _ in range(20):
        prior = member(
            "a", {i: (rng.choice(NAMES), rng.sample(keys("k", 200), 30)) for i in range(rng.randrange(8))}
        )
        latest = member(
            "b", {i: (rng.choice(NAMES), rng.sample(keys("k", 200), 30)) for i in range(rng.randrange(8))}
        )
        found = matching.match(prior, latest)
        assert {i for g in found.groups for i in g.prior} == {c.cluster_id for c in prior.clusters}
        assert {i for g in found.groups for i in g.latest} == {c.cluster_id for c in latest.clusters}
        assert all(0 <= g.confidence <= 1 for g in found.groups)
        backbone = [link for link in found.links if link.backbone]
        assert (
            len({link.prior_id for link in backbone})
            == len({link.latest_id for link in backbone})
            == len(backbone)
        )


@given(st.integers(1, 7), st.integers(1, 7), st.sampled_from([0.0, 0.25, 1.0]))
def test_among_equals_the_order_of_ids_decides(rows: int, columns: int, score: float) -> None:
    assert matching.assign(np.full((rows, columns), score)) == [(i, i) for i in range(min(rows, columns))]


def test_pairs_that_are_as_good_crossed_are_not_crossed() -> None:
    rng = np.random.default_rng(4)
    for size in range(2, 9):
        score = rng.random((size, size))
        score[[0, 1]] = score[[0, 0]]
        chosen = dict(matching.assign(score))
        assert chosen[0] < chosen[1]


def test_the_work_of_matching_grows_with_the_pairs_of_clusters_and_no_faster() -> None:
    def calls(clusters: int) -> int:
        rng = random.Random(2)
        words = ["".join(rng.choices("abcdefghijklmnop", k=7)) for _ in range(300)]
        sides = [
            Membership(
                name,
                tuple(
                    MemberCluster(
                        i,
                        " ".join(rng.sample(words, 5)),
                        " ".join(rng.sample(words, 40)),
                        tuple(sorted(f"{i}-{rng.randrange(400)}" for _ in range(200))),
                    )
                    for i in range(clusters)
                ),
            )
            for name in (f"a{clusters}", f"b{clusters}")
        ]
        made = 0

        def count(*_: object) -> None:
            nonlocal made
            made += 1

        sys.setprofile(count)
        try:
            matching.match(*sides)
        finally:
            sys.setprofile(None)
        return made

    calls(2)  # what is loaded and kept the first time
    few, many = calls(25), calls(50)
    assert few > 1_000
    assert many < 3 * few


def test_hostile_words_are_only_text() -> None:
    hostile = [
        "\ud800\udfff lone",
        "x" * 2_000_000,
        "<script>" * 50,
        "{{7*7}}",
        "请求退款与账单争议",
        "\x00\u202e",
    ]
    found = text.likeness([titles.document(t, t) for t in hostile], [titles.document(t, t) for t in hostile])
    assert found.probability.shape == (6, 6)
    assert ((found.probability >= 0) & (found.probability <= 1)).all()


def test_renaming_looks_past_case_and_punctuation() -> None:
    assert titles.normalised("Refunds & Disputes!") == titles.normalised("refunds and disputes")
    assert titles.normalised("Refunds") != titles.normalised("Refund help")


WORDS = st.sampled_from(
    [
        "refund",
        "refunds",
        "the",
        "billing",
        "Größe",
        "请求退款",
        "a\x00b",
        "\U0001f600 ok",
        "x",
        "migration-plan",
        "🏳️‍🌈",
        "",
    ]
)
TEXTS = st.lists(st.lists(WORDS, max_size=9).map(" ".join), min_size=1, max_size=4)


@given(TEXTS, TEXTS)
def test_likeness_is_the_mean_of_two_tf_idf_cosines(before: list[str], after: list[str]) -> None:
    prior, latest = [[titles.document(title, "") for title in told] for told in (before, after)]
    everyone = [*prior, *latest]

    def pieces(words: str) -> list[str]:
        return [words[at : at + n] for n in (3, 4, 5) for at in range(len(words) - n + 1)]

    def stems(words: str) -> list[str]:
        return [word[:6] for word in re.findall(r"[^\W_]{2,}", words) if word != "the"]

    def cosine(cut: Callable[[str], list[str]], one: str, other: str) -> float:
        def weighed(words: str) -> dict[str, float]:
            counts = Counter(cut(words))
            holders = {term: sum(term in cut(each) for each in everyone) for term in counts}
            return {t: n * (math.log((1 + len(everyone)) / (1 + holders[t])) + 1) for t, n in counts.items()}

        a, b = weighed(one), weighed(other)
        lengths = math.hypot(*a.values()) * math.hypot(*b.values())
        return sum(a[term] * b.get(term, 0.0) for term in a) / lengths if lengths else 0.0

    found = text.likeness(prior, latest).similarity
    for i, one in enumerate(prior):
        for j, other in enumerate(latest):
            expected = (cosine(pieces, one, other) + cosine(stems, one, other)) / 2
            assert found[i, j] == pytest.approx(expected, abs=1e-12)


def test_identical_competitors_share_no_lead() -> None:
    found = text.likeness(["refund of money"], ["refund of money", "refund of money", "password lost"])
    alone = text.likeness(["refund of money"], ["refund of money", "password lost"])
    assert found.probability[0, 0] == found.probability[0, 1] < alone.probability[0, 0]

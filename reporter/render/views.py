"""A report made ready for a template: every row prepared, every text cleaned, nothing escaped yet.

HTML page and PDF are rendered from the same `Document`, so they say the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from reporter import units
from reporter.render import changes, drawings, facts, reasons, rows, words
from reporter.render import gates as rules
from reporter.render import incident as incidents
from reporter.render.drawings import ChartView
from reporter.render.gates import GateView
from reporter.render.incident import IncidentView
from reporter.report import Incident

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reporter.artifact import Chart
    from reporter.render.facts import Fact
    from reporter.report import JobSection, Report, RunInfo


class PageAssets(Protocol):
    """What a page needs of the charts room: type and colour."""

    @property
    def css(self) -> str:
        """Rules for the classes the charts' SVG uses, in terms of the colour variables."""

    @property
    def fonts(self) -> Mapping[int, bytes]:
        """Weight → WOFF2 of the family "Reporter Sans"."""

    @property
    def light(self) -> Mapping[str, str]:
        """Colour token → hex on white paper."""

    @property
    def dark(self) -> Mapping[str, str]:
        """Colour token → hex on dark paper."""

    def swatch(self, lineage_id: str) -> str:
        """Give the colour token of a lineage."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many rows a document may hold, for each job; the rest is in report.json."""

    clusters: int
    cards: int
    errors: int
    transitions: int
    jobs: int


SCREEN = Limits(clusters=400, cards=30, errors=100, transitions=400, jobs=200)


@dataclass(frozen=True, slots=True)
class Cut:
    """A list cut to its limit, with the number of entries left out."""

    shown: tuple[object, ...]
    left: int


@dataclass(frozen=True, slots=True)
class RunView:
    """One run, for provenance."""

    role: str
    run_id: str
    window: str
    start: str
    end: str
    emitted: str
    items: int
    clusters: int
    noise_items: int
    label: str
    params: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Part:
    """A place inside a job, for its contents."""

    words: str
    anchor: str


@dataclass(frozen=True, slots=True)
class JobView:
    """One job's part of the document."""

    anchor: str
    heading: str
    level: str
    one: str
    many: str
    chips: tuple[str, ...]
    sentence: str
    """What became of the job; also its line in the contents."""
    tone: str
    has_run: bool
    quiet: bool
    """Whether nothing in it needs a reader: the first page holds its head alone."""
    inside: str
    """What is folded away where it is quiet."""
    parts: tuple[Part, ...]
    compared: bool
    evaluation: bool
    window: str
    prior_window: str
    facts: tuple[Fact, ...]
    marked: tuple[str, ...]
    """What happened in the time its trends show, with dates."""
    filters: str
    bridge: ChartView | None
    changed: tuple[changes.ChangeRow, ...]
    has_why: bool
    more_changed: int
    over: tuple[str, ...]
    """What earlier reports told and is over, a sentence each."""
    muted: tuple[str, ...]
    """What is not told because the settings say so, a sentence each."""
    movements: tuple[changes.Movement, ...]
    renamed: int
    """Clusters that only got a new name."""
    unchanged: tuple[tuple[str, tuple[rows.Named, ...]], ...]
    unchanged_count: int
    coverage: tuple[str, ...]
    reasons: tuple[str, ...]
    ledger: Cut
    has_sparks: bool
    charts: tuple[ChartView, ...]
    map: ChartView | None
    transitions: Cut
    errors: Cut
    cards: Cut
    anchors: frozenset[str]
    """Places of the clusters that the list of all clusters shows here."""
    carded: Mapping[str, str]
    """Anchor of a cluster → id of its card, where it has one."""
    others: tuple[changes.Card, ...]
    """Clusters without a card: their descriptions stand in the appendix."""
    checks: tuple[rows.CheckRow, ...]
    runs: tuple[RunView, ...]
    run_line: str
    prior_choice: str


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report, ready to be rendered."""

    title: str
    headline: str
    verdict: str
    verdict_word: str
    project: str
    window: str
    generated: str
    kind: str
    version: str
    content_hash: str
    redaction: str
    timezone: str
    source_kind: str
    source: str
    warnings: tuple[tuple[str, str], ...]
    """(job heading or "", message)."""
    gates: GateView | None
    """Outcomes of the rules, where any were given."""
    jobs: tuple[JobView, ...]
    jobs_left: int
    single: bool
    methods: tuple[str, ...]
    check_names: tuple[str, ...]
    incident: IncidentView | None


def document(
    report: Report, charts: Sequence[Chart], *, limits: Limits, swatch: Callable[[str], str | None]
) -> Document:
    """Prepare a report.

    Args:
        report: The report.
        charts: Its charts, in any order of jobs.
        limits: How much the document may hold.
        swatch: Lineage id → colour token (``"L07"``), or ``None`` where there is no colour for it.
    """
    tz, told = report.timezone, report.incident
    sections = list(enumerate(report.jobs))[: limits.jobs]
    jobs = tuple(_job(report, i, section, charts, limits=limits, swatch=swatch) for i, section in sections)
    latest = next((s.latest for s in report.jobs if s.latest is not None), None)
    return Document(
        title=units.clean(report.title, 120) or "Report on AI clusters",
        headline=units.clean(report.headline, 260) or words.CALLS[report.verdict] + ".",
        verdict=report.verdict,
        verdict_word=words.CALLS[report.verdict],
        project=units.clean(report.source.project_id or "", 60),
        window=units.span(latest.window_start, latest.window_end, tz)
        if latest
        else units.span(told.from_, told.to, tz)
        if isinstance(told, Incident)
        else "",
        generated=units.moment(report.generated_at, tz),
        kind=report.kind,
        version=report.reporter_version,
        content_hash=report.content_sha256,
        redaction=report.redaction,
        timezone=tz,
        source_kind=units.clean(report.source.kind, 40),
        source=units.clean(report.source.location, 300),
        warnings=tuple((_job_name(report, w.job_id), units.clean(w.message, 600)) for w in report.warnings),
        gates=rules.view(report),
        jobs=jobs,
        jobs_left=len(report.jobs) - len(jobs),
        single=len(report.jobs) <= 1,
        methods=facts.methods(report),
        check_names=tuple(name for _, name, _ in rows.CHECKED),
        incident=incidents.view(report, told, charts) if isinstance(told, Incident) else None,
    )


def _job(
    report: Report,
    index: int,
    section: JobSection,
    charts: Sequence[Chart],
    *,
    limits: Limits,
    swatch: Callable[[str], str | None],
) -> JobView:
    tz = report.timezone
    one, many = words.LEVELS[section.job.level]
    found = changes.of_job(report.findings, index)
    swatches = {c.cluster_id: swatch(c.lineage_id) for c in section.clusters}
    changed, more = changes.table(found, section, index, swatches)
    all_cards = changes.cards(section, index, tz, swatches)
    carded = {card.cluster.anchor or "": card.card_id for card in all_cards[: limits.cards]}
    everyone = (changes.card(c, section, index, tz, swatches) for c in section.clusters[: limits.clusters])
    drawn = drawings.views(charts, index)
    unchanged = changes.unchanged(section, index)
    lines = rows.ledger(section, index, swatch)
    shown = [row for row in lines if not row.noise][: limits.clusters]
    listed = (*shown, *(row for row in lines if row.noise))
    ledger = Cut(listed, len(lines) - len(listed))
    runs = [("Latest", section.latest), ("Prior", section.prior)]
    anchor = f"job-{index + 1}"
    charted = tuple(chart for chart in drawn if chart.name not in ("bridge", "map"))
    transitions = _cut(rows.transitions(section, index), limits.transitions)
    errors = _cut(rows.errors(section, index), limits.errors)
    cards = _cut(all_cards, limits.cards)
    moves = changes.movements(section, index)
    the_map = next((chart for chart in drawn if chart.name == "map"), None)
    bridge = next((chart for chart in drawn if chart.name == "bridge"), None)
    return JobView(
        anchor=anchor,
        heading=facts.heading(section),
        level=section.job.level,
        one=one,
        many=many,
        chips=facts.chips(section),
        sentence=facts.sentence(section, found),
        tone=_tone(section, [f.call for f in found]),
        has_run=section.latest is not None and section.overall is not None,
        quiet=report.is_quiet(index),
        inside=f"All {units.plural(len(section.clusters), 'cluster')}, charts and evidence",
        parts=tuple(
            Part(words, place)
            for there, words, place in (
                (bridge, "Cost", bridge.anchor if bridge else ""),
                (changed, "What changed", f"{anchor}-changed"),
                (moves, "Coming and going", f"{anchor}-moves"),
                (ledger.shown, "All clusters", f"{anchor}-ledger"),
                (charted, "Charts", charted[0].anchor if charted else ""),
                (transitions.shown, "How the runs connect", f"{anchor}-transitions"),
                (errors.shown, "Why calls failed", f"{anchor}-errors"),
                (cards.shown, "Up close", f"{anchor}-cards"),
                (the_map, "Map", the_map.anchor if the_map else ""),
            )
            if there
        ),
        compared=section.overall is not None and any(c.change is not None for c in section.clusters),
        evaluation=section.job.level == "evaluation",
        window=facts.window(section.latest, tz),
        prior_window=facts.window(section.prior, tz),
        facts=facts.four(section, report.annotations),
        marked=facts.marked(section, report.annotations, tz),
        filters=reasons.filters(section),
        bridge=bridge,
        changed=changed,
        has_why=any(row.why for row in changed),
        more_changed=more,
        over=tuple(units.clean(o.sentence, 300) for o in report.resolved if o.job_index == index),
        muted=facts.muted([m for m in report.muted if m.finding.job_index == index], tz),
        movements=moves,
        renamed=changes.renamed(section),
        unchanged=unchanged,
        unchanged_count=sum(len(names) for _, names in unchanged),
        coverage=facts.coverage(section, found),
        reasons=_reasons(section),
        ledger=ledger,
        has_sparks=any(row.spark for row in lines),
        charts=charted,
        map=the_map,
        transitions=transitions,
        errors=errors,
        cards=cards,
        anchors=frozenset(row.anchor for row in listed),
        carded=carded,
        others=tuple(card for card in everyone if card.cluster.anchor not in carded),
        checks=rows.cross_check(section, index),
        runs=tuple(_run(role, run, tz) for role, run in runs if run is not None),
        prior_choice=units.clean(section.comparability.prior_choice, 400) if section.comparability else "",
        run_line=" · ".join(
            f"{role.lower()} {words.short_run(run.run_id)}" for role, run in runs if run is not None
        ),
    )


def _run(role: str, run: RunInfo, tz: str) -> RunView:
    params = run.params or {}
    return RunView(
        role=role,
        run_id=units.clean(run.run_id, 200),
        window=facts.window(run, tz),
        start=units.moment(run.window_start, tz),
        end=units.moment(run.window_end, tz),
        emitted=units.moment(run.emitted_at, tz),
        items=run.items,
        clusters=run.clusters,
        noise_items=run.noise_items,
        label=units.clean(run.label or "", 60),
        params=", ".join(
            f"{units.clean(str(k), 60)} {units.clean(str(v), 120)}" for k, v in sorted(params.items())
        )
        or "not recorded",
        url=words.link(run.url),
    )


def _tone(section: JobSection, calls: Sequence[str]) -> str:
    if section.status in ("failed", "no_run"):
        return "strong"  # the colours are for calls alone
    return "strong" if "changed" in calls or "probably_changed" in calls else "calm"


def _reasons(section: JobSection) -> tuple[str, ...]:
    """Give the reasons against a comparison that the job's sentence does not already name."""
    if section.comparability is None:
        return ()
    reasons = (units.clean(reason, 300) for reason in section.comparability.reasons)
    return tuple(reason for reason in reasons if reason.rstrip(".") not in section.status_reason)


def _job_name(report: Report, job_id: str | None) -> str:
    return next((facts.heading(s) for s in report.jobs if job_id is not None and s.job.id == job_id), "")


def _cut(entries: Sequence[object], limit: int) -> Cut:
    return Cut(tuple(entries[:limit]), max(0, len(entries) - limit))

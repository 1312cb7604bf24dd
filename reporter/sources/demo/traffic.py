"""Who asks what and when: the demo's traces before any call is made for them.

Arrivals follow the day, the week and chance: an hour's rate is a profile times gamma noise, and each
session brings one trace or a burst of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reporter.sources.demo import timeline
from reporter.sources.demo.topic import Topic, share
from reporter.sources.demo.topics import all_topics

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from datetime import datetime

_WEEKLY = (1060.0, 1180.0)
"""Traces a week at the start and at the end."""
_HOURS = (
    0.28, 0.24, 0.22, 0.22, 0.26, 0.40, 0.70, 1.15, 1.75, 2.05, 2.00, 1.75,
    1.45, 1.75, 1.95, 1.85, 1.60, 1.25, 1.00, 0.85, 0.72, 0.60, 0.48, 0.36,
)  # fmt: skip
_WEEKDAYS = (1.18, 1.15, 1.10, 1.08, 1.02, 0.66, 0.72)
_BURST = {"assistant": 1.45, "doc-intake": 1.7, "support-bot": 1.2}
"""Mean traces a session."""
_STAY = {"assistant": 0.55, "doc-intake": 0.5, "support-bot": 0.7}
"""Chance that the next trace of a session is about the same topic."""
_PAUSE_S = {"assistant": 75.0, "doc-intake": 14.0, "support-bot": 60.0}
"""Median seconds between the traces of a session."""
_PLANS = (("free", 38), ("starter", 34), ("business", 24), ("enterprise", 4))
_COUNTRIES = (("DE", 30), ("NL", 16), ("GB", 15), ("FR", 12), ("SE", 9), ("US", 8), ("AT", 6), ("PT", 4))
_USERS = 420
_STAGING_SHARE = 0.04
_OUTAGE_RUSH = 5.0
"""How much more statements are uploaded while the uploads fail, since users try again."""


@dataclass(frozen=True, slots=True)
class User:
    """A customer, known by random ids only."""

    distinct_id: str
    person_id: str
    plan: str
    country: str


@dataclass(frozen=True, slots=True)
class Request:
    """One trace to be served."""

    trace_id: str
    topic: Topic
    start: datetime
    session: str
    user: User
    environment: str
    ask: int
    """Which of the topic's questions it is."""
    depth: float
    """How far from its topic's heart it lies: 0-1, high is odd."""
    angle: float
    """Place along its topic's island, 0-1."""


def requests() -> Iterator[Request]:
    """Give every trace of the demo, in order of arrival of its session."""
    rng = timeline.dice("traffic")
    topics = all_topics()
    users = [_user(rng) for _ in range(_USERS)]
    favour = [rng.paretovariate(1.3) for _ in users]
    hours = round((timeline.LAST_DAY - timeline.FIRST_DAY) * 24)
    norm = math.fsum(_HOURS) / 24 * math.fsum(_WEEKDAYS) / 7
    for index in range(hours):
        day = timeline.FIRST_DAY + index / 24
        when = timeline.at(day)
        progress = index / hours
        mean = (_WEEKLY[0] + (_WEEKLY[1] - _WEEKLY[0]) * progress) / 168
        mean *= _HOURS[when.hour] * _WEEKDAYS[when.weekday()] / norm * rng.gammavariate(7.0, 1 / 7.0)
        rush = timeline.OUTAGE_START <= day < timeline.OUTAGE_END
        weights = [
            share(topic, day)
            / _BURST[topic.feature]
            * (_OUTAGE_RUSH if rush and topic.key == "statements" else 1)
            for topic in topics
        ]
        sessions = mean * math.fsum(weights) / math.fsum(share(topic, day) for topic in topics)
        for _ in range(_poisson(rng, sessions)):
            (user,) = rng.choices(users, favour)
            (topic,) = rng.choices(topics, weights)
            kin = [
                (other, weight)
                for other, weight in zip(topics, weights, strict=True)
                if other.feature == topic.feature
            ]
            yield from _session(rng, user, topic, kin, day + rng.random() / 24)


def _session(
    rng: random.Random, user: User, topic: Topic, kin: list[tuple[Topic, float]], day: float
) -> Iterator[Request]:
    session = f"s{rng.getrandbits(40):010x}"
    environment = "staging" if rng.random() < _STAGING_SHARE else "production"
    feature = topic.feature
    while True:
        yield Request(
            trace_id=_trace_id(rng, feature),
            topic=topic,
            start=timeline.at(day),
            session=session,
            user=user,
            environment=environment,
            ask=rng.randrange(len(topic.asks)),
            depth=1.0 if topic.key.startswith("odd-") else rng.random(),
            angle=rng.random(),
        )
        if rng.random() < 1 / _BURST[feature]:
            return
        if rng.random() > _STAY[feature]:
            (topic,) = rng.choices([other for other, _ in kin], [weight for _, weight in kin])
        day += _PAUSE_S[feature] * math.exp(rng.gauss(0, 0.8)) / 86_400


def _trace_id(rng: random.Random, feature: str) -> str:
    if feature == "assistant":
        return timeline.uuid4(rng)
    prefix = "doc" if feature == "doc-intake" else "help"
    return f"{prefix}-{rng.getrandbits(56):014x}"


def _user(rng: random.Random) -> User:
    (plan,) = rng.choices([name for name, _ in _PLANS], [weight for _, weight in _PLANS])
    (country,) = rng.choices([name for name, _ in _COUNTRIES], [weight for _, weight in _COUNTRIES])
    return User(f"acct_{rng.getrandbits(40):010x}", timeline.uuid4(rng), plan, country)


def _poisson(rng: random.Random, mean: float) -> int:
    """Draw from a Poisson distribution by counting exponential gaps (Knuth); `mean` stays below 100."""
    count, left = 0, rng.expovariate(1.0)
    while left < mean:
        count += 1
        left += rng.expovariate(1.0)
    return count

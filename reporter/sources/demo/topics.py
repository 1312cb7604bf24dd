"""Everything the customers of the invented company ask for."""

from __future__ import annotations

from reporter.sources.demo import topics_assistant, topics_intake, topics_support
from reporter.sources.demo.topic import Topic


def all_topics() -> tuple[Topic, ...]:
    """Give every topic, the one-off requests (key ``odd-…``) last."""
    return (*topics_assistant.TOPICS, *topics_intake.TOPICS, *topics_support.TOPICS)

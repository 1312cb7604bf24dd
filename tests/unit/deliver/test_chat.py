"""Posts to a webhook on loopback, through Apprise itself."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from reporter.deliver.chat import Chat
from reporter.errors import DeliveryError, UsageError
from reporter.render import chat, facts
from tests.incidents import incident_report
from tests.reports import HOSTILE, report, section, states

STATES = states()
# Apprise imports a module of the standard library that later Pythons lack; it does without it there.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@dataclass
class Hook:
    port: int = 0
    status: int = 200
    posts: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def hook() -> Iterator[Hook]:
    told = Hook()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.posts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(told.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield told
        server.shutdown()
        thread.join(10)


def test_a_message_arrives_as_it_was_written(hook: Hook) -> None:
    title, body = chat.message([report([section(clusters=4)])], link="https://reports.example.org/1")
    place = Chat(f"json://user:s3cr3t-token@127.0.0.1:{hook.port}/hook")
    place.post(title, body)
    (post,) = hook.posts
    assert (post["title"], post["message"]) == (title, body)
    assert body.endswith("https://reports.example.org/1")
    assert "s3cr3t" not in place.name
    assert place.name.startswith("JSON ")


def test_what_is_not_taken_is_told_without_the_address(hook: Hook) -> None:
    hook.status = 503
    place = Chat(f"json://user:s3cr3t-token@127.0.0.1:{hook.port}/hook")
    with pytest.raises(DeliveryError, match="was not taken") as caught:
        place.post("t", "b")
    assert "s3cr3t" not in str(caught.value)
    assert "503" in str(caught.value)


@pytest.mark.parametrize("address", ["slack://s3cr3t", "nothing", "wat://s3cr3t-token", "://"])
def test_an_address_that_is_none_is_told_without_it(address: str) -> None:
    with pytest.raises(UsageError, match="cannot be used") as caught:
        Chat(address)
    assert "s3cr3t" not in str(caught.value)


def test_words_of_others_command_nothing() -> None:
    titles = (*HOSTILE[:4], "<!channel> @everyone `code` <http://x|y>")
    title, body = chat.message([report([section(titles=titles, clusters=5)])])
    for text in (title, body):
        assert not set("<>@`|") & set(text)


@pytest.mark.parametrize("name", STATES)
def test_every_state_has_a_short_message_with_the_verdict(name: str) -> None:
    title, body = chat.message([STATES[name]])
    assert title
    assert len(body) <= 3_100
    assert "\n" not in title
    assert chat.inert(facts.heading(STATES[name].jobs[0])) in body


def test_an_incident_and_several_reports_are_told() -> None:
    _, body = chat.message([incident_report()])
    assert "Failed calls: " in body
    title, body = chat.message([STATES["changed"], STATES["quiet"]])
    assert title.startswith("1 of 2 reports changed. ")
    assert body.count("project 5120: ") == 2
    title, body = chat.message([STATES["changed"]], note="There is no new run since the last mail.")
    assert title == "There is no new run since the last mail."
    assert "\u2192" not in body

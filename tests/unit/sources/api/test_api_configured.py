"""The list of jobs: read by number, told once where it cannot be read, and never a reason to fail."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from reporter.sources.api.configured import Configured
from tests.unit.sources.api.scripted import KEY, PROJECT, Handler, answer, error, page, raw

LIST = f"/api/projects/{PROJECT}/llm_analytics/clustering_jobs/"


def job(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"019db7a4-1f60-7c1e-9a55-{number:012x}", "name": f"Job {number:04}", "analysis_level": "trace",
        "event_filters": [], "enabled": True, **more,
    }  # fmt: skip


class Caveats(list[tuple[str, str, str]]):
    def __call__(self, code: str, subject: str, message: str) -> None:
        self.append((code, subject, message))


@pytest.fixture
def caveats() -> Caveats:
    return Caveats()


def paged(count: int, *, size: int = 100, other: str = "https://evil.test") -> Any:
    """Answer pages of so many jobs, naming a next page on another host."""

    def step(handler: Handler) -> None:
        asked = parse_qs(urlsplit(handler.path).query)
        offset, limit = int(asked["offset"][0]), min(size, int(asked["limit"][0]))
        results = [job(number) for number in range(offset, min(count, offset + limit))]
        following = f"{other}{handler.path}" if offset + limit < count else None
        answer({"count": count, "next": following, "previous": None, "results": results})(handler)

    return step


@pytest.mark.parametrize(
    ("count", "size", "requests"), [(0, 100, 1), (3, 100, 1), (100, 100, 1), (250, 100, 3), (7, 3, 3)]
)
def test_pages_are_read_by_number_until_none_follows_and_no_other_host_is_asked(
    serve, ask, caveats, count, size, requests
):
    other = serve()
    server = serve(rest=paged(count, size=size, other=other.url))
    jobs = Configured(ask(server), caveats)
    found = jobs.jobs()
    assert [one.name for one in found] == [f"Job {number:04}" for number in range(count)]
    assert len(server.log) == requests
    assert [request.path for request in server.log] == [
        f"{LIST}?limit=100&offset={min(size, 100) * number}" for number in range(requests)
    ]
    assert all(request.method == "GET" and request.keyed for request in server.log)
    assert other.log == []
    assert caveats == []
    assert jobs.jobs() == found
    assert len(server.log) == requests, "the list is read once"


def test_an_older_server_sends_the_bare_list(serve, ask, caveats):
    server = serve(answer([job(2), job(1)]))
    assert [one.name for one in Configured(ask(server), caveats).jobs()] == ["Job 0001", "Job 0002"]
    assert len(server.log) == 1


def test_a_page_that_comes_again_ends_the_list(serve, ask, caveats):
    server = serve(rest=answer({"next": "https://x/", "results": [job(1), job(2)]}))
    assert len(Configured(ask(server), caveats).jobs()) == 2
    assert len(server.log) < 4


def test_an_empty_page_ends_the_list_whatever_follows(serve, ask, caveats):
    server = serve(
        answer({"next": "https://x/", "results": [job(1)]}), answer({"next": "https://x/", "results": []})
    )
    assert len(Configured(ask(server), caveats).jobs()) == 1
    assert len(server.log) == 2


def test_nothing_is_asked_before_the_list_is_wanted(serve, ask, caveats):
    server = serve(rest=answer([]))
    jobs = Configured(ask(server), caveats)
    assert server.log == []
    jobs.fetch()
    jobs.fetch()
    assert len(server.log) == 1


BAD = [
    {"id": 1},
    "job",
    None,
    job(1, analysis_level="planet"),
    job(1, event_filters="x"),
    job(1, enabled="maybe"),
]


@pytest.mark.parametrize(
    "step",
    [
        error(403, "API key missing required scope 'llm_analytics:read'"),
        error(404, "Not found."),
        error(500, "oops"),
        error(401, "no"),
        page(502),
        page(200),
        raw(b""),
        answer({}),
        answer({"results": None}),
        answer({"results": {"a": 1}}),
        *[answer({"results": [job(1), bad]}) for bad in BAD],
        *[answer([bad]) for bad in BAD],
        answer({}, 302, {"Location": "https://evil.test/"}),
    ],
)
def test_a_list_that_cannot_be_read_is_none_with_a_caveat_and_no_error(serve, ask, caveats, step):
    server = serve(rest=step)
    jobs = Configured(ask(server), caveats)
    jobs.fetch()
    assert caveats == [], "told when somebody wants the list"
    assert jobs.jobs() is None
    ((code, subject, message),) = caveats
    assert (code, subject) == ("jobs_unknown", "")
    assert message.startswith("The list of jobs cannot be read: ")
    assert "llm_analytics:read" in message
    assert "\n" not in message
    asked = len(server.log)
    assert jobs.jobs() is None
    assert len(server.log) == asked
    assert len(set(caveats)) == 1


def test_a_later_page_that_cannot_be_read_leaves_no_half_of_a_list(serve, ask, caveats):
    server = serve(answer({"next": "x", "results": [job(1)]}), error(403, "no"))
    assert Configured(ask(server), caveats).jobs() is None
    assert len(caveats) == 1


def test_a_key_in_a_list_is_in_no_caveat(serve, ask, caveats):
    odd = "\u200b".join(KEY)
    Configured(ask(serve(answer([job(1, analysis_level=odd), job(2, enabled=odd)]))), caveats).jobs()
    assert len(caveats) == 1
    assert KEY not in repr(caveats)


# -- one job --------------------------------------------------------------------------------------------


def test_a_job_of_a_list_that_is_known_is_not_asked_for(serve, ask, caveats):
    server = serve(answer([job(1), job(2)]))
    jobs = Configured(ask(server), caveats)
    jobs.fetch()
    assert jobs.job(job(2)["id"].upper()).name == "Job 0002"
    assert jobs.job(job(9)["id"]) is None
    assert len(server.log) == 1


def test_a_job_is_asked_for_by_its_id_where_the_list_is_not_known(serve, ask, caveats):
    server = serve(answer(job(3)), error(403, "no"), answer(job(4)))
    jobs = Configured(ask(server), caveats)
    assert jobs.job(job(3)["id"]).name == "Job 0003"
    assert jobs.jobs() is None
    assert jobs.job(job(4)["id"]).name == "Job 0004"
    assert [request.path for request in server.log][::2] == [f"{LIST}{job(n)['id']}/" for n in (3, 4)]


@pytest.mark.parametrize(
    "step", [error(404, "Not found."), error(403), error(500), answer([]), answer({"id": 7}), page(200)]
)
def test_a_job_that_cannot_be_read_is_none(serve, ask, caveats, step):
    assert Configured(ask(serve(rest=step)), caveats).job("019db7a4") is None
    assert caveats == []


@pytest.mark.parametrize(
    "job_id", ["../../projects/1", "a/b", "x?y=1", "x#y", "..", ".", "", "é", "a b", "%2e%2e"]
)
def test_an_id_stays_below_the_address_of_jobs(serve, ask, caveats, job_id):
    server = serve(rest=error(404, "no"))
    Configured(ask(server), caveats).job(job_id)
    for request in server.log:
        path = request.path.replace("environments", "projects")
        assert path.startswith(LIST)
        assert path.count("/") == LIST.count("/") + 1
        assert "?" not in path

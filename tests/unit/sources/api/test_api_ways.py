"""The way to the server: closed ports, TLS, certificates, proxies."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from reporter.errors import SourceError, SourceUnreadable
from reporter.sources import wire
from tests.unit.sources.api.scripted import KEY, PROJECT, Clock, Proxy, closed_port, rows, shown

SELECT = {"kind": "HogQLQuery", "query": "SELECT 1 AS one LIMIT 2"}
NAMES = "subjectAltName=DNS:localhost,DNS:posthog.test,IP:127.0.0.1"


def failing(client: Any, kind: type[SourceError] = SourceUnreadable) -> SourceError:
    with pytest.raises(kind) as found:
        client.query(SELECT, "items")
    assert KEY not in shown(found.value)
    return found.value


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate that nobody has signed but itself, with its key in one file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", "key.pem", "-out", "certificate.pem", "-days", "2", "-subj", "/CN=localhost",
         "-addext", NAMES],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    both = folder / "both.pem"
    both.write_text((folder / "key.pem").read_text() + (folder / "certificate.pem").read_text())
    return both


def trusted(certificate: Path) -> str:
    return str(certificate.with_name("certificate.pem"))


# -- closed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_closed_port_is_tried_three_times_in_a_few_seconds(ask, clock, scheme):
    with closed_port() as port:
        found = failing(ask(f"{scheme}://127.0.0.1:{port}"))
    assert found.message.startswith("PostHog cannot be reached: ")
    assert found.subject == f"{scheme}://127.0.0.1:{port}"
    assert "--host" in found.hint
    assert clock.waits == [1, 3]


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (httpx.ConnectError("[Errno -2] Name or service not known"), "unreachable", "no host of this name"),
        (httpx.ConnectError("[Errno -3] Temporary failure in name resolution"), "unreachable", "no host of"),
        (httpx.ConnectError(""), "unreachable", "no connection"),
        (httpx.ConnectTimeout(f"x {KEY}"), "unreachable", "it does not answer"),
        (httpx.PoolTimeout("x"), "late", "it did not answer in time"),
        (httpx.WriteTimeout("x"), "late", "it did not answer in time"),
        (httpx.ReadTimeout("x"), "late", "it did not answer in time"),
        (httpx.WriteError("x"), "broken", "the connection broke"),
        (httpx.ConnectError(f"odd {KEY}"), "unreachable", "odd ***"),
    ],
)
def test_failures_that_loopback_cannot_show_have_a_sentence_too(error, kind, reason):
    told = wire._broken(error, KEY)
    assert told.kind == kind
    assert reason in told.reason
    assert KEY not in told.reason


# -- TLS ------------------------------------------------------------------------------------------------


def test_tls_against_a_plain_port_is_told_and_not_tried_again(serve, ask, clock):
    server = serve()
    found = failing(ask(server.url.replace("http:", "https:")))
    assert "PostHog cannot be read: TLS with it fails" in found.message
    assert "ssl" in found.message.lower()
    assert (server.log, clock.waits) == ([], [])


def test_a_certificate_that_nobody_vouches_for_is_refused(serve, ask, clock, certificate):
    server = serve(rows([1]), certificate=certificate)
    found = failing(ask(server))
    assert "its certificate is not trusted" in found.message
    assert "SSL_CERT_FILE" in found.hint
    assert (server.log, clock.waits) == ([], [])


def test_a_certificate_named_in_the_environment_is_trusted(serve, ask, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", trusted(certificate))
    server = serve(rows([1]), certificate=certificate)
    assert ask(server).query(SELECT, "items")["results"] == [[1]]
    assert [request.keyed for request in server.log] == [True]


def test_a_trusted_certificate_of_another_name_is_refused(ask, certificate, monkeypatch, serve):
    monkeypatch.setenv("SSL_CERT_FILE", trusted(certificate))
    server = serve(rows([1]), certificate=certificate)
    monkeypatch.setenv("HTTPS_PROXY", "")
    with Proxy(server.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        found = failing(ask("https://other.test"))
    assert "its certificate is not trusted" in found.message
    assert server.log == []


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_certificates_that_cannot_be_read_are_told_before_anything_is_sent(
    ask, tmp_path, monkeypatch, content
):
    path = tmp_path / "own.pem"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with pytest.raises(SourceError) as found:
        ask("https://127.0.0.1:1")
    assert "SSL_CERT_FILE" in found.value.hint
    assert KEY not in shown(found.value)


# -- proxies --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_tunnels_and_never_sees_the_key(serve, ask, certificate, monkeypatch, variable):
    server = serve(rows([1]), rows([2]), certificate=certificate)
    monkeypatch.setenv("SSL_CERT_FILE", trusted(certificate))
    with Proxy(server.port) as proxy:
        monkeypatch.setenv(variable, proxy.url)
        client = ask("https://posthog.test")
        assert client.query(SELECT, "items")["results"] == [[1]]
        assert client.query(SELECT, "items")["results"] == [[2]]
        client.close()
    assert proxy.connects == ["CONNECT posthog.test:443 HTTP/1.1"]
    assert [request.keyed for request in server.log] == [True, True]
    for secret in (KEY, KEY[4:], "Bearer", "SELECT", PROJECT):
        assert secret.encode() not in proxy.seen


def test_a_proxy_that_refuses_is_told_and_not_asked_again(ask, clock, monkeypatch):
    with Proxy(None) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        found = failing(ask("https://posthog.test"))
    assert found.message == "PostHog cannot be read: the proxy refused: 407 Proxy Authentication Required"
    assert proxy.connects == ["CONNECT posthog.test:443 HTTP/1.1"]
    assert KEY.encode() not in proxy.seen
    assert clock.waits == []


def test_a_proxy_that_is_gone_is_told(ask, monkeypatch):
    with closed_port() as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        assert "cannot be reached" in failing(ask("https://posthog.test")).message


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "Http_Proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize(
    "proxy",
    ["http://proxy.test:3128", "proxy.test:3128", "http://127.0.0.1.proxy.test:1", "http://u:p@10.0.0.1"],
)
def test_a_proxy_elsewhere_is_not_used_for_plain_http_on_this_machine(
    serve, ask, monkeypatch, variable, proxy
):
    monkeypatch.setenv(variable, proxy)
    server = serve(rows([1]))
    assert ask(server).query(SELECT, "items")["results"] == [[1]]
    assert [request.keyed for request in server.log] == [True]


def test_a_proxy_named_not_to_be_used_is_not_used(serve, ask, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", trusted(certificate))
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = serve(rows([1]), certificate=certificate)
    assert ask(server).query(SELECT, "items")["results"] == [[1]]


@pytest.mark.parametrize(
    "proxy", ["socks5://127.0.0.1:1080", "nonsense://x", "http://[::1", "http://x:notaport"]
)
def test_a_proxy_that_cannot_be_used_is_told_before_anything_is_sent(ask, monkeypatch, proxy):
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(SourceError) as found:
        ask("https://posthog.test")
    assert "ALL_PROXY" in found.value.hint
    assert found.value.subject == "https://posthog.test"


def test_closing_twice_is_harmless_and_what_comes_after_is_an_error(serve, ask):
    client = ask(serve(rows([1])), clock=Clock())
    client.close()
    client.close()

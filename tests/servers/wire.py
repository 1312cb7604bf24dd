"""Sends answers over a socket, whole or broken on purpose."""

from __future__ import annotations

import contextlib
import gzip
import socket
import struct
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.servers.faults import Reply

_WORTH_PACKING = 10_000


def send(handler: BaseHTTPRequestHandler, reply: Reply, fault: Mapping[str, Any]) -> int:
    """Send an answer; gives the bytes of its body that were sent."""
    if "slow_first_byte_s" in fault:
        time.sleep(float(fault["slow_first_byte_s"]))
    if fault.get("reset"):
        _reset(handler)
        return 0
    if fault.get("endless"):
        return _endless(handler, slow=fault["endless"] == "slow")
    body = _packed(handler, reply)
    handler.send_response(reply.status)
    for name, value in reply.headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    if handler.command == "HEAD":
        return 0
    if fault.get("reset_midway"):
        handler.wfile.write(body[: len(body) // 2])
        handler.wfile.flush()
        _reset(handler)
        return len(body) // 2
    if fault.get("drip"):
        return _dripped(handler, body, float(fault.get("bytes_per_s", 1)))
    handler.wfile.write(body)
    handler.wfile.flush()
    return len(body)


def _packed(handler: BaseHTTPRequestHandler, reply: Reply) -> bytes:
    wanted = "gzip" in handler.headers.get("Accept-Encoding", "")
    if wanted and len(reply.body) > _WORTH_PACKING and "Content-Encoding" not in reply.headers:
        reply.headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        return gzip.compress(reply.body, 1)
    return reply.body


def _reset(handler: BaseHTTPRequestHandler) -> None:
    """Close so that the other side sees a reset."""
    handler.close_connection = True
    with contextlib.suppress(OSError):
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()


def _endless(handler: BaseHTTPRequestHandler, *, slow: bool) -> int:
    """Send a body in chunks until the other side has enough."""
    handler.close_connection = True
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    chunk = b"[" if slow else b'"' + b"x" * 65_534 + b'",'
    sent = 0
    with contextlib.suppress(OSError):
        while True:
            handler.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
            handler.wfile.flush()
            sent += len(chunk)
            if slow:
                time.sleep(0.2)
    return sent


def _dripped(handler: BaseHTTPRequestHandler, body: bytes, bytes_per_s: float) -> int:
    handler.close_connection = True
    sent = 0
    with contextlib.suppress(OSError):
        for place in range(len(body)):
            handler.wfile.write(body[place : place + 1])
            handler.wfile.flush()
            sent += 1
            time.sleep(1 / bytes_per_s)
    return sent

"""How much a caller may ask of the server, and how slowly; it stays well all the while."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import requests

from handstamp.operations import Files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Running

MEGABYTE = 1_000_000


def head(server: Running, *lines: str, path: str = "/close_session") -> bytes:
    fixed = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{server.port}", f"Authorization: Bearer {server.token}", "Content-Type: application/json"]
    return "\r\n".join([*fixed, *lines, "", ""]).encode()


@contextlib.contextmanager
def connected(server: Running) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as sock:
        yield sock


def everything(sock: socket.socket) -> bytes:
    """What comes until the server closes."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := sock.recv(65536):
            parts.append(part)
    return b"".join(parts)


def answered(sock: socket.socket) -> tuple[int, dict[str, object]]:
    """The answer that comes without waiting for the connection's end."""
    got = b""
    while b"\r\n\r\n" not in got or not got.endswith(b"}"):
        part = sock.recv(65536)
        assert part, got
        got += part
    return int(got.split()[1]), json.loads(got.partition(b"\r\n\r\n")[2])


def is_well(server: Running) -> bool:
    return server.get("/health").json()["status"] == "healthy"


def test_a_body_that_is_announced_as_too_large_is_refused_before_it_is_sent(server: Running) -> None:
    with connected(server) as sock:
        sock.sendall(head(server, f"Content-Length: {10 * MEGABYTE}"))
        status, document = answered(sock)
    assert (status, document["code"], document["success"]) == (413, "body-too-large", False)


def test_a_body_that_grows_too_large_is_refused(server: Running) -> None:
    with connected(server) as sock:
        sock.sendall(head(server, "Transfer-Encoding: chunked"))
        for _ in range(5):
            sock.sendall(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
        status, document = answered(sock)
    assert (status, document["code"]) == (413, "body-too-large")


def test_many_large_bodies_at_once_are_refused_and_the_server_is_well(server: Running) -> None:
    def send(number: int) -> int:
        body = b'{"session_id": "' + b"x" * (10 * MEGABYTE) + b'"}'
        try:
            return server.call("POST", "/close_session", data=iter([body]) if number % 2 else body).status_code
        except requests.ConnectionError:  # cut off while it was still sending
            return 413

    with ThreadPoolExecutor(8) as clients:
        assert set(clients.map(send, range(16))) == {413}
    assert is_well(server)


def test_strangers_bodies_are_not_read(server: Running) -> None:
    with connected(server) as sock:
        sock.sendall(head(server, "Content-Length: 60000").replace(server.token.encode(), b"hs_none"))
        status, document = answered(sock)
    assert (status, document["code"]) == (401, "unauthorized")


def test_a_body_that_comes_too_slowly_is_refused(serving: Callable[..., Running]) -> None:
    server = serving(body_seconds=0.4)
    with connected(server) as sock:
        sock.sendall(head(server, "Content-Length: 20") + b'{"a')
        status, document = answered(sock)
    assert (status, document["code"]) == (408, "request-timeout")
    assert is_well(server)


def test_a_head_that_comes_too_slowly_is_refused(serving: Callable[..., Running]) -> None:
    server = serving(header_seconds=0.4)
    with connected(server) as sock:
        sock.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        got = everything(sock)
    assert got.startswith(b"HTTP/1.1 408 ")
    assert json.loads(got.partition(b"\r\n\r\n")[2])["code"] == "request-timeout"


def test_a_head_that_drips_is_refused_on_a_connection_that_was_good_before(serving: Callable[..., Running]) -> None:
    server = serving(header_seconds=1.0)
    with connected(server) as sock:
        sock.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert answered(sock)[0] == 200
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for byte in b"GET /health HTTP/1.1\r\n" * 10:
                sock.sendall(bytes([byte]))
                time.sleep(0.05)
        assert everything(sock).startswith(b"HTTP/1.1 408 ")


def test_who_says_nothing_is_closed(serving: Callable[..., Running]) -> None:
    server = serving(header_seconds=0.3)
    with connected(server) as sock:
        assert everything(sock) == b""


def test_a_client_that_was_refused_cannot_go_on_dripping(server: Running) -> None:
    with connected(server) as sock:
        sock.sendall(head(server, f"Content-Length: {10 * MEGABYTE}"))
        assert answered(sock)[0] == 413
        cut_off = False
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(200):
                sock.sendall(b"x")
                time.sleep(0.1)
                sock.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    cut_off = sock.recv(10) == b""
                sock.setblocking(True)
                if cut_off:
                    break
            else:
                raise AssertionError("the connection is still open")
    assert is_well(server)


def test_a_client_that_does_not_take_its_answer_is_closed(serving: Callable[..., Running], home: Path) -> None:
    server = serving(send_seconds=0.5)
    name = Files(home / "files").put("large.bin", bytes(40 * MEGABYTE)).name
    with connected(server) as sock:
        sock.sendall(head(server, path=f"/files/{name}").replace(b"POST", b"GET"))
        time.sleep(2.0)
        assert len(everything(sock)) < 40 * MEGABYTE
    assert len(server.get(f"/files/{name}").content) == 40 * MEGABYTE


def test_what_is_no_http_is_told_so(server: Running) -> None:
    for garbage in (b"\x16\x03\x01\x02\x00\x01\x00", b"GARBAGE\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", b"A" * 200_000):
        with connected(server) as sock:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.sendall(garbage + b"\r\n\r\n")
            got = everything(sock)
        assert not got or (got.startswith(b"HTTP/1.1 400 ") and json.loads(got.partition(b"\r\n\r\n")[2])["code"] == "invalid-request"), garbage
    assert is_well(server)


def test_a_thousand_open_connections_leave_it_well(server: Running) -> None:
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(connected(server)) for _ in range(1000)]
        for number, sock in enumerate(slow):
            sock.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " if number % 2 else head(server, "Content-Length: 900"))
        assert is_well(server)
    with ThreadPoolExecutor(32) as clients:
        assert set(clients.map(lambda _: server.get("/sessions").status_code, range(300))) == {200}
    assert is_well(server)


def test_beyond_the_connections_that_it_takes_it_says_when_to_ask_again(serving: Callable[..., Running]) -> None:
    server = serving(max_connections=10)
    with contextlib.ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(connected(server)).sendall(b"GET /health HTTP/1.1\r\n")
        time.sleep(0.2)
        with connected(server) as sock:
            got = everything(sock)
    assert got.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nRetry-After: 5\r\n" in got
    assert json.loads(got.partition(b"\r\n\r\n")[2])["code"] == "too-busy"
    for _ in range(100):
        with contextlib.suppress(requests.ConnectionError):
            if server.get("/health").status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError("the places did not come free")


def test_who_asks_too_often_is_told_when_to_ask_again(serving: Callable[..., Running]) -> None:
    server = serving(requests_per_minute=20, requests_per_minute_without_token=10)
    answers = [server.get("/sessions") for _ in range(25)]
    assert [answer.status_code for answer in answers[:20]] == [200] * 20
    assert (answers[-1].status_code, answers[-1].json()["code"]) == (429, "too-many-requests")
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert server.get("/sessions", token=server.token_for("read")).status_code == 200
    strangers = [server.get("/health", token="").status_code for _ in range(15)]
    assert strangers[:10] == [200] * 10
    assert strangers[-1] == 429

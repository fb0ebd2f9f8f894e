"""The bridge from the ASGI server to the threads of the pages: bodies in pieces, answers that stream."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.http import HttpResponse, StreamingHttpResponse

from anlage.web import bridge
from anlage.web.bridge import Bridge

pytestmark = pytest.mark.usefixtures("site")  # Django is set up


def serve(answering):
    """Serve on a thread of its own: the browser's driver keeps a loop on the test's."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, answering).result()


def ask(pages, *pieces, kind="http"):
    """Give the messages that a request of these pieces is answered with."""
    waiting = [
        {"type": "http.request", "body": piece, "more_body": place < len(pieces) - 1}
        for place, piece in enumerate(pieces)
    ]
    sent = []

    async def receive():
        return waiting.pop(0)

    async def send(message):
        sent.append(message)

    scope = {
        "type": kind,
        "method": "POST",
        "path": "/x",
        "query_string": b"a=1",
        "http_version": "1.1",
        "headers": [(b"x-mark", b"1"), (b"x-mark", b"2")],
    }
    serve(Bridge(pages, workers=2)(scope, receive, send))
    return sent


def test_a_body_in_pieces_arrives_whole_and_the_answer_goes_back_at_once():
    def pages(environ, start):
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start("201 Created", [("X-Mark", environ["HTTP_X_MARK"])])
        return [body, b"!"]

    head, body = ask(pages, b"one ", b"two")

    assert (head["status"], head["headers"]) == (201, [(b"x-mark", b"1,2")])
    assert body["body"] == b"one two!"


def test_an_answer_that_streams_is_fetched_piece_by_piece_and_closed():
    closed = []

    def pages(environ, start):
        answer = StreamingHttpResponse(iter([b"a", b"b"]))
        answer.close = lambda: closed.append(True)
        start("200 OK", [])
        return answer

    sent = ask(pages, b"")

    assert [one.get("body") for one in sent] == [None, b"a", b"b", b""]
    assert closed == [True]


def test_a_plain_answer_is_closed_where_it_was_made():
    answer = HttpResponse(b"x")

    def pages(environ, start):
        start("200 OK", [])
        return answer

    assert ask(pages, b"")[1]["body"] == b"x"
    assert answer.closed


def test_a_body_past_the_limit_is_refused_unread(monkeypatch):
    monkeypatch.setattr(bridge, "BODY_MAX", 3)

    head, _ = ask(lambda *_: [], b"ab", b"cd", b"never read")

    assert head["status"] == 413


def test_a_web_socket_is_closed():
    assert ask(lambda *_: [], kind="websocket") == [{"type": "websocket.close", "code": 1000}]


def test_half_a_request_is_no_request():
    came, sent = [{"type": "http.request", "body": b"lot=A&", "more_body": True}], []

    async def receive():
        return came.pop(0) if came else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    asked = []
    scope = {"type": "http", "method": "POST", "path": "/act/x", "headers": []}
    serve(Bridge(lambda *given: asked.append(given) or [], workers=1)(scope, receive, send))

    assert (asked, sent) == ([], [])

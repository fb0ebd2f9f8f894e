"""Django inside the ASGI server: a request crosses to a thread once and back once.

The body is read before the crossing and a whole answer is sent after it, so that no thread waits
for the loop in between; an answer that streams is fetched piece by piece. See decision 0003.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import IO, Any

from a2wsgi.wsgi import build_environ

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
BODY_MAX = 600 * 1024 * 1024
IN_MEMORY_MAX = 8 * 1024 * 1024
_GONE = BytesIO()


class Bridge:
    """An ASGI application around a WSGI one."""

    def __init__(self, pages: Callable[..., Iterable[bytes]], *, workers: int) -> None:
        """Answer with this WSGI application in that many threads."""
        self._pages = pages
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="pages")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        body = await _read(receive)
        if body is _GONE:
            return  # half a request is no request
        if body is None:
            await _say(send, 413, [(b"content-type", b"text/plain")], b"The request is too large.")
            return
        loop = asyncio.get_running_loop()
        with body:
            answer = await loop.run_in_executor(self._threads, self._answer, scope, body)
        if answer.rest is None:
            await _say(send, answer.status, answer.headers, answer.body)
            return
        start = {"type": "http.response.start", "status": answer.status, "headers": answer.headers}
        await send(start)
        try:
            while piece := await loop.run_in_executor(self._threads, next, answer.rest, b""):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            await loop.run_in_executor(self._threads, answer.close)

    def _answer(self, scope: Scope, body: IO[bytes]) -> "_Answer":
        environ = build_environ(scope, body)  # type: ignore[arg-type]
        environ["CONTENT_LENGTH"] = str(body.tell())  # a body may come in pieces, without a length
        body.seek(0)
        answer = _Answer()
        response: Any = self._pages(environ, answer.start)
        close = getattr(response, "close", _nothing)
        if getattr(response, "streaming", False):
            answer.rest, answer.close = iter(response), close
            return answer
        try:
            answer.body = b"".join(response)
        finally:
            close()
        return answer


class _Answer:
    status = 500
    headers: list[tuple[bytes, bytes]]
    body = b""
    rest: Iterator[bytes] | None = None
    close: Callable[[], object]

    def start(self, status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
        self.status = int(status.partition(" ")[0])
        self.headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers
        ]


async def _read(receive: Receive) -> IO[bytes] | None:
    """Give the whole body, on disk when it is long; None when it is larger than any may be, and
    `_GONE` when the sender went before its end.
    """
    body = tempfile.SpooledTemporaryFile(IN_MEMORY_MAX)  # noqa: SIM115 - closed by the caller
    has_more = True
    while has_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            body.close()
            return _GONE
        body.write(message.get("body", b""))
        if body.tell() > BODY_MAX:
            body.close()
            return None
        has_more = message.get("more_body", False)
    return body


async def _say(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _nothing() -> None:
    return None

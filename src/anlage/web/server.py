"""One process, one port: pages and API through WSGI threads, the live stream through ASGI, the
journal's writer beside them.

`application` is what granian loads; the folder comes from ANLAGE_DATA.
"""

import asyncio
import atexit
import threading
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any

import orjson

from anlage.app import (
    Installation,
    Runner,
    SimulatedClock,
    configure,
    open_clocked,
    settings,
)
from anlage.record import Recorded

from . import here
from .bridge import Bridge

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

THREADS = 16
CLIENTS_MAX = 500
BEAT_SECONDS = 15.0


class Live:
    """The live stream: tells every open page that facts have come, and on which streams, and each
    person how far the own jobs are. Slow pages miss, never block.
    """

    def __init__(self) -> None:
        """Start with nobody listening."""
        self._clients: dict[asyncio.Queue[bytes], tuple[asyncio.AbstractEventLoop, str]] = {}
        self._lock = threading.Lock()

    def tell(self, facts: Sequence[Recorded]) -> None:
        """Tell all; called in the journal's writer."""
        streams = list(dict.fromkeys(str(one.stream) for one in facts))[:50]
        data = orjson.dumps({"number": facts[-1].number, "streams": streams})
        self._send(b"event: facts\ndata: " + data + b"\n\n")

    def tell_job(self, person: str, seen: Mapping[str, Any]) -> None:
        """Tell a person's pages how far a job is; called in the runner."""
        self._send(b"event: job\ndata: " + orjson.dumps(dict(seen)) + b"\n\n", only=person)

    def _send(self, message: bytes, *, only: str | None = None) -> None:
        with self._lock:
            clients = list(self._clients.items())
        for waiting, (loop, person) in clients:
            if only is None or person == only:
                loop.call_soon_threadsafe(_offer, waiting, message)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one page's stream until it goes."""
        person = await asyncio.to_thread(_person_of, scope)
        if len(self._clients) >= CLIENTS_MAX or person is None:
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        waiting: asyncio.Queue[bytes] = asyncio.Queue(maxsize=20)
        with self._lock:
            self._clients[waiting] = (asyncio.get_running_loop(), person)
        gone = asyncio.ensure_future(_until_gone(receive))
        try:
            await send({"type": "http.response.body", "body": b": here\n\n", "more_body": True})
            while not gone.done():
                try:
                    body = await asyncio.wait_for(waiting.get(), BEAT_SECONDS)
                except TimeoutError:
                    body = b": beat\n\n"
                await send({"type": "http.response.body", "body": body, "more_body": True})
        finally:
            gone.cancel()
            with self._lock:
                self._clients.pop(waiting, None)


class Server:
    """The ASGI application."""

    def __init__(self, installation: Installation, runner: Runner | None = None) -> None:
        """Serve an open installation, with a runner of its jobs."""
        here.use(installation)
        configure(installation.settings)
        from django.core.wsgi import get_wsgi_application

        self._pages = Bridge(get_wsgi_application(), workers=THREADS)
        self._live = Live()
        installation.listen(self._live.tell)
        if runner is not None:
            runner.listen(self._live.tell_job)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["path"] == "/live":
            await self._live.answer(scope, receive, send)
        else:
            await self._pages(scope, receive, send)


def application() -> Server:
    """Open the installation named by the environment and give its application."""
    chosen = settings()
    configure(chosen)
    installation = open_clocked(chosen)
    atexit.register(installation.close)
    installation.answer_beside()
    if chosen.demo and isinstance(installation.clock, SimulatedClock):
        from anlage.app.demo import keep_playing

        keep_playing(installation, installation.clock)
    runner = Runner(installation)
    server = Server(installation, runner)
    runner.start()
    atexit.register(runner.close)
    return server


def _offer(waiting: "asyncio.Queue[bytes]", message: bytes) -> None:
    if waiting.full():
        waiting.get_nowait()
    waiting.put_nowait(message)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _person_of(scope: Scope) -> str | None:
    """Give the person whose session a request belongs to; None when nobody is logged in."""
    from http.cookies import SimpleCookie

    from django.contrib.sessions.backends.db import SessionStore

    from anlage.store.desk.models import Account

    header = next((value for name, value in scope["headers"] if name == b"cookie"), b"")
    cookie = SimpleCookie(header.decode("latin-1")).get("sessionid")
    known = SessionStore(cookie.value).get("_auth_user_id") if cookie else None
    account = Account.objects.filter(pk=known, is_active=True).first() if known else None
    return None if account is None else str(account.person)

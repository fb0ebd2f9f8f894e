"""A gateway: it collects what a gate's antennas read, and sends it in bulk to a served Anlage."""

import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from anlage.base import Problem, Refused, stamp
from anlage.custody import TagRead

SECONDS = 30
ANSWER_MAX = 10_000_000
BULK_MAX = 2000  # as many distinct tags as one bulk read takes
RULE = "Anlage interface"


class Gateway:
    """The door of a served installation, as a reader sees it."""

    def __init__(self, address: str, token: str) -> None:
        """Name the installation and the token that speaks for this reader.

        Raises:
            Refused: `address-malformed`, or `login-missing` without a token.
        """
        if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).netloc:
            raise _no("address-malformed", "address", address[:80], "http://HOST:PORT")
        if not token.strip():
            raise _no("login-missing", "token", "none", "a token of `anlage token create`")
        self._address = address.rstrip("/")
        self._token = token.strip()

    def tags(self, shipment: str) -> dict[str, Any]:
        """Give a shipment's list with its codes, and what was read, missing and foreign so far.

        Raises:
            Refused: The installation refused, or nobody answers there.
        """
        return self._ask("GET", f"/api/shipments/{quote(shipment, safe='')}/tags")

    def send(
        self,
        reads: Sequence[TagRead],
        *,
        reader: str,
        shipment: str = "",
        bulk: int = BULK_MAX,
        is_simulated: bool = False,
    ) -> list[int]:
        """Send reads in bulk, in the order read; give how many each request held.

        Reads with their times carry a key, so that a request which is sent again counts once.

        Raises:
            Refused: The installation refused, or nobody answers there.
        """
        sent = []
        for part in _parts(reads, bulk):
            values = {
                "reader": reader,
                "shipment": shipment,
                "reads": [_as_data(one) for one in part],
                "is_simulated": is_simulated,
            }
            # What two reads at one moment say is one thing; without times it may be two.
            key = hashlib.sha256(json.dumps(values).encode()).hexdigest() if part[0].at else None
            self._ask("POST", "/api/commands/record-tags", {"values": values, "key": key})
            sent.append(len(part))
        return sent

    def _ask(self, verb: str, path: str, body: object = None) -> dict[str, Any]:
        request = urllib.request.Request(
            self._address + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self._token}",
                "Content-Type": "application/json",
            },
            method=verb,
        )
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:
                said: dict[str, Any] = json.loads(answer.read(ANSWER_MAX))
                return said
        except urllib.error.HTTPError as error:
            raise _refusal(error) from error
        except (OSError, ValueError) as error:
            raise _no(
                "installation-silent",
                self._address,
                str(getattr(error, "reason", error))[:120],
                "a served installation",
                "start it with `anlage serve`, or correct the address",
            ) from error


def _parts(reads: Sequence[TagRead], size: int) -> Iterator[Sequence[TagRead]]:
    if not 1 <= size <= BULK_MAX:
        raise _no("bulk-out-of-range", "reads in one request", str(size), f"1 to {BULK_MAX}")
    return (reads[at : at + size] for at in range(0, len(reads), size))


def _as_data(read: TagRead) -> dict[str, str]:
    data = {"epc": read.epc, "antenna": read.antenna}
    if read.rssi is not None:
        data["rssi"] = str(read.rssi)
    if read.at is not None:
        data["at"] = stamp(read.at)
    return data


def _refusal(error: urllib.error.HTTPError) -> Refused:
    """Give the refusal of the other side as it said it."""
    try:
        said = json.loads(error.read(ANSWER_MAX))["problems"]
        problems = [Problem(**one) for one in said]
        return Refused.of(problems)
    except (ValueError, KeyError, TypeError, IndexError):
        return _no(
            "installation-refused", "request", f"status {error.code}", "an answer of an Anlage"
        )


def _no(code: str, what: str, found: str, limit: str, remedy: str = "correct it") -> Refused:
    return Refused(code, what=what, found=found, limit=limit, remedy=remedy, rule=RULE)

"""Which code names which thing: an RFID tag, a GS1 key or a donation number, given to one subject.

A code names one thing at a time; a thing may carry many codes. The name of a code is the one that
`codes.thing_of` gives, so that a tag and the printed label beside it are the same name.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Self

from anlage.base import Refused, clean_line
from anlage.record import Entry, Recorded, Rows, Stream, fact

VIEW = "codes"
RULE = "GS1 General Specifications 1.4; ISO/IEC 15459"
_CODE_MAX = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveCode:
    """Let a code name a thing; `code` is any text that a scanner reads, `subject` is family/ID."""

    code: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawCode:
    """Let a code name nothing any more: the tag came off, the label was wrong."""

    code: str
    reason: str


@fact("code-given")
@dataclass(frozen=True, slots=True, kw_only=True)
class CodeGiven:
    """A code names a thing from now on."""

    code: str
    subject: str


@fact("code-withdrawn")
@dataclass(frozen=True, slots=True, kw_only=True)
class CodeWithdrawn:
    """A code names nothing any more."""

    code: str
    subject: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A code and what it names; `subject` is empty when it names nothing."""

    subject: str = ""

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give the state before any fact."""
        del stream
        return cls()

    def after(self, recorded: Recorded) -> Self:
        """Give the state after a fact."""
        match recorded.fact:
            case CodeGiven(subject=subject):
                return replace(self, subject=subject)
            case CodeWithdrawn():
                return replace(self, subject="")
        return self


def code_stream(code: str) -> Stream:
    """Give the stream of a code: a digest of it, since a code may hold any character."""
    return Stream(f"code/{hashlib.sha256(code.encode()).hexdigest()[:24]}")


def give_code(state: Code, code: str, subject: str) -> list[Entry]:
    """Give the fact that a code names a thing.

    Raises:
        Refused: `code-malformed`, or `code-names-another`: it is on another thing already.
    """
    if not code.strip() or len(code) > _CODE_MAX:
        raise Refused(
            "code-malformed",
            what="code of a thing",
            found=code[:60] or "nothing",
            limit=f"1 to {_CODE_MAX} characters",
            remedy="scan the code again",
            rule=RULE,
        )
    Stream(subject)
    if state.subject == subject:
        return []
    if state.subject:
        raise Refused(
            "code-names-another",
            what=f"code {code[:60]}",
            found=f"names {state.subject}",
            limit="one thing at a time",
            remedy="withdraw it from that thing first, with the reason",
            rule=RULE,
        )
    return [Entry(code_stream(code), CodeGiven(code=code, subject=subject))]


def withdraw_code(state: Code, code: str, reason: str) -> list[Entry]:
    """Give the fact that a code names nothing any more.

    Raises:
        Refused: `code-names-nothing`, or no reason.
    """
    if not state.subject:
        raise Refused(
            "code-names-nothing",
            what=f"code {code[:60]}",
            found="names nothing",
            limit="a code that names a thing",
            remedy="scan the code again",
            rule=RULE,
        )
    said = clean_line(reason, "reason of a withdrawal")
    gone = CodeWithdrawn(code=code, subject=state.subject, reason=said)
    return [Entry(code_stream(code), gone)]


class CodeView:
    """Codes by name (`code` key) and by thing (facet)."""

    name = VIEW
    version = 1
    families = frozenset({"code"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact into the rows."""
        match recorded.fact:
            case CodeGiven(code=code, subject=subject):
                row = {"code": code, "subject": subject, "since": recorded.happened_text}
                rows.put(code, row, facet=subject, order=code)
            case CodeWithdrawn(code=code):
                rows.delete(code)


VIEWS = (CodeView(),)

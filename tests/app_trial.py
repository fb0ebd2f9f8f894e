"""A trial command, so that the engine can be tested without any package of the plant."""

from dataclasses import dataclass

from anlage.app import Desk, command
from anlage.base import Refused
from anlage.record import Entry, Signature, Stream, fact


@fact("trial-weighed")
@dataclass(frozen=True, slots=True, kw_only=True)
class TrialWeighed:
    grams: int
    number: str
    blob: str | None = None
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Weigh:
    lot: str
    grams: int
    scale: str = "E-1"
    blob: str | None = None
    signature: Signature | None = None


@dataclass(frozen=True, slots=True)
class Total:
    grams: int = 0

    @classmethod
    def begin(cls, stream):
        return cls()

    def after(self, recorded):
        return Total(self.grams + recorded.body.get("grams", 0))


@command("weigh")
def weigh(desk: Desk, request: Weigh) -> list[Entry]:
    lot, scale = Stream(f"lot/{request.lot}"), Stream(f"equipment/{request.scale}")
    if desk.read(Total, lot).grams + request.grams > 100:
        raise Refused("too-heavy", what=f"lot {request.lot}", found=request.grams, limit=100)
    desk.read(Total, scale)
    number = desk.next_number("weighing", "W{yy}-{n:04d}", f"lot/{request.lot}")
    weighed = TrialWeighed(
        grams=request.grams, number=number, blob=request.blob, signature=request.signature
    )
    return [Entry(lot, weighed), Entry(scale, TrialWeighed(grams=request.grams, number=number))]

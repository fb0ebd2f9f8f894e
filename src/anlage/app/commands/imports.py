"""Taking up another site's export: verified, kept byte for byte, named by one fact."""

from anlage.base import Refused
from anlage.custody import ImportRecord, RecordImported
from anlage.record import Entry, Stream

from ..engine import Desk, command
from .materials import must_act

KEEPERS = ("qa-reviewer", "store-keeper", "coordinator")


class _Imports:
    """Whether an export was taken up before."""

    def __init__(self, count: int = 0) -> None:
        self.count = count

    @classmethod
    def begin(cls, stream: Stream) -> "_Imports":
        del stream
        return cls()

    def after(self, recorded: object) -> "_Imports":
        del recorded
        return _Imports(self.count + 1)


@command("import-record")
def _import(desk: Desk, request: ImportRecord) -> list[Entry]:
    must_act(desk, *KEEPERS)
    stream = Stream(f"import/{request.blob[:16]}")
    if desk.read(_Imports, stream).count:
        raise Refused(
            "record-imported-before",
            what=f"export of {request.subject}",
            found="taken up before, byte for byte the same",
            limit="once",
            remedy=f"look at {stream}",
        )
    return [
        Entry(
            stream,
            RecordImported(
                blob=request.blob,
                subject=request.subject,
                signer=request.signer,
                is_anchored=request.is_anchored,
                facts=request.facts,
                world=request.world,
            ),
        )
    ]

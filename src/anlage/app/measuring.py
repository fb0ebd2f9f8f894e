"""From a file of an instrument to a measurement of a sample: kept, analysed by the method in force,
recorded.

The analysis takes seconds and opens no database, so that a job can do it in a process of its own;
the command only keeps what came of it, and takes it from an analysis alone.
"""

import dataclasses
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from anlage.base import Refused, clean_line, digest
from anlage.lab import FigureKept, TakeMeasurement
from anlage.lab.analysis import ANALYSES, Intake, Source, analyse, examine
from anlage.library import Definition, Method
from anlage.record import Actor, Stream

from .engine import Outcome
from .installation import Installation

Tell = Callable[[float, str], None]
Read = Callable[[str], bytes]
Keep = Callable[[str, bytes], str]
_SUFFIX = {
    "application/vnd.isac.fcs": ".fcs", "image/png": ".png", "image/jpeg": ".jpg",
    "image/tiff": ".tif", "text/csv": ".csv",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureFile:
    """Have a kept file of a sample analysed.

    Attributes:
        sample: The sample.
        method: The method.
        content: Content of the method's version in force.
        raw_file: Digest of the file.
        raw_name: Its name.
        media_type: What it is.
        assay: Content of the assay definition in force that the method names; None for none.
    """

    sample: str
    method: str
    content: Mapping[str, object]
    raw_file: str
    raw_name: str
    media_type: str
    assay: Mapping[str, object] | None = None


def keep_file(installation: Installation, name: str, data: bytes) -> tuple[Intake, str]:
    """Judge a file and keep it; give what it is and its digest.

    Raises:
        Refused: It is too large, of another kind, packed too tightly, or names a patient.
    """
    try:
        intake = examine(name, data)
    except ModuleNotFoundError as missing:
        raise _extra_missing(missing) from missing
    return intake, installation.blobs.put(data)


def measure_request(
    installation: Installation, *, sample: str, method: str, file: tuple[Intake, str]
) -> MeasureFile:
    """Give what is to be analysed, by the version of the method that is in force.

    Raises:
        Refused: `definition-not-effective`, `analysis-unknown`.
    """
    stream = Stream(f"definition/method:{clean_line(method, 'method', limit=63)}")
    definition = installation.engine.state(Definition, stream)
    version = definition.must_have_effective(installation.clock.now())
    defined = Method.read(version.content)
    analysis = defined.analysis
    if analysis not in ANALYSES:
        raise Refused(
            "analysis-unknown",
            what=f"analysis of method {method[:60]}",
            found=analysis or "none: its results are entered by hand",
            limit=", ".join(ANALYSES),
            remedy="enter the result by hand, or choose another method",
        )
    intake, raw_file = file
    return MeasureFile(
        sample=sample,
        method=method,
        content=version.content,
        raw_file=raw_file,
        raw_name=intake.name,
        media_type=intake.media_type,
        assay=_assay_of(installation, defined) if defined.assay else None,
    )


def _assay_of(installation: Installation, method: Method) -> Mapping[str, object]:
    """Give the content of the assay in force that a method follows.

    Raises:
        Refused: `definition-not-effective`.
    """
    definition = installation.engine.state(Definition, Stream(f"definition/assay:{method.assay}"))
    return definition.must_have_effective(installation.clock.now()).content


def measurement_of(
    asked: MeasureFile, *, read: Read, keep: Keep, tell: Tell = lambda share, what: None
) -> TakeMeasurement:
    """Analyse a file; one that the analysis will not judge gives a measurement with the reason.

    Args:
        asked: What is analysed.
        read: Gives a kept file by its digest.
        keep: Keeps a file under a name, and gives its digest.
        tell: Called with how far it is (0 to 1) and what is being done.
    """
    method = Method.read(asked.content)
    bare = TakeMeasurement(
        sample=asked.sample,
        method=asked.method,
        method_digest=digest(dict(asked.content)),
        assay_digest="" if asked.assay is None else digest(dict(asked.assay)),
        raw_file=asked.raw_file,
        raw_name=asked.raw_name,
        analysis=method.analysis,
        analysis_version="",
    )
    with tempfile.TemporaryDirectory(prefix="anlage-") as folder:
        suffix = _SUFFIX.get(asked.media_type, ".xlsx")
        name = asked.raw_name if asked.raw_name.lower().endswith(suffix) else f"file{suffix}"
        path = Path(folder) / name
        path.write_bytes(read(asked.raw_file))
        try:
            found = analyse(
                Source(path=path, method=method, assay=asked.assay, sample=asked.sample), tell
            )
        except Refused as refusal:
            why = str(refusal).replace(f"{folder}/", "")[:2000]
            return dataclasses.replace(bare, refusal=why)
        except ModuleNotFoundError as missing:
            raise _extra_missing(missing) from missing
    tell(0.95, "recording it")
    figures = []
    for place, one in enumerate(found.figures, start=1):
        ending = "png" if one.media_type == "image/png" else "json"
        kept = keep(f"figure-{place}.{ending}", one.data)
        figures.append(FigureKept(title=one.title, digest=kept, media_type=one.media_type))
    return dataclasses.replace(
        bare,
        analysis_version=found.card.version,
        values=found.values_for(method),
        flags=found.flags,
        warnings=found.warnings_for(method),
        refusal=found.refusal,
        figures=tuple(figures),
        details=keep("details.json", found.as_json().replace(f"{folder}/".encode(), b"")),
    )


def measure(
    installation: Installation,
    asked: MeasureFile,
    *,
    person: str,
    tell: Tell = lambda share, what: None,
) -> Outcome:
    """Analyse a file here and now, and record what came of it.

    Raises:
        Refused: The sample is not at hand, or the person may not test.
    """
    blobs = installation.blobs
    request = measurement_of(asked, read=blobs.get, keep=lambda _, data: blobs.put(data), tell=tell)
    return installation.engine.do(request, actor=Actor(person=person, via="analysis"))


def _extra_missing(missing: ModuleNotFoundError) -> Refused:
    return Refused(
        "extra-missing",
        what="analysis of instrument files",
        found=f"{missing.name} is not installed",
        limit="the extra lab",
        remedy="install anlage[lab]",
    )

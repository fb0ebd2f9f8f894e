"""Real instrument files for the demo's quality control, from packages that carry them with their
licence, so that a demo from the wheel alone has them too.

The cytometry files come with `fcsparser` (MIT; decision 0722), the cell image with scikit-image
(BSD). Where a package is absent the demo does without that file and the result stands without a
raw file; nothing is made up in its place.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

_FCS = "application/vnd.isac.fcs"
_CYTOMETERS = "tests/data/FlowCytometers"
_FILES = (
    (
        "fcsparser",
        f"{_CYTOMETERS}/Fortessa/FCS_3.0_Fortessa_PBS_Specimen_001_A1_A01.fcs",
        "fortessa.fcs",
        _FCS,
    ),
    (
        "fcsparser",
        f"{_CYTOMETERS}/HTS_BD_LSR-II/HTS_BD_LSR_II_Mixed_Specimen_001_D6_D06.fcs",
        "lsr-ii.fcs",
        _FCS,
    ),
    ("skimage", "data/cell.png", "cell.png", "image/png"),
)


@cache
def instrument_files() -> tuple[tuple[str, bytes, str], ...]:
    """Give (name, bytes, media type) of each real file at hand; the image last."""
    found: list[tuple[str, bytes, str]] = []
    for package, inner, name, media in _FILES:
        spec = find_spec(package)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            path = Path(place) / inner
            if path.is_file():
                found.append((name, path.read_bytes(), media))
    if not found:
        found.append(("note.txt", b"no instrument file at hand; simulated", "text/plain"))
    return tuple(found)

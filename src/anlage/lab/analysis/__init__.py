"""ANALYSIS: one face to every method that reads an instrument's file.

Touches: image, flow and assay of LAB, library, base.
Touched by: app, web, cli.
Start at: found.py (what an analysis gives), then ANALYSES here (which there are).
"""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from anlage.base import Problem, Refused
from anlage.library import Method

from .card import card_of
from .found import Figure, Found, Number, Source, Tell
from .intake import Intake, examine

__all__ = [
    "ANALYSES",
    "Analysis",
    "Figure",
    "Found",
    "Intake",
    "Number",
    "Source",
    "analyse",
    "card_of",
    "defects",
    "examine",
]

Run = Callable[[Source, Tell], Found]


@dataclass(frozen=True, slots=True)
class Analysis:
    """An analysis that methods may name.

    Attributes:
        title: What it does, in words.
        media: The kinds of file that it reads: fcs, image or table.
        place: Module and function that do it; loaded when first used, since they are heavy.
        settings: What a method may tell it, by name, with what holds when it does not; empty for
            what is then left open.
    """

    title: str
    media: tuple[str, ...]
    place: str
    settings: Mapping[str, str] = field(default_factory=dict)

    def load(self) -> Run:
        """Give the function."""
        module, _, name = self.place.partition(":")
        run: Run = getattr(importlib.import_module(f"{__name__}.{module}"), name)
        return run


ANALYSES: Mapping[str, Analysis] = {
    "t-cell-gating": Analysis("T-cell subsets by automatic gates", ("fcs",), "tubes:gate_tube"),
    "gating": Analysis("Populations by the method's own gates", ("fcs",), "tubes:gate_as_written"),
    "flow-quality": Analysis("Events and singlets of a tube", ("fcs",), "tubes:look_at_tube"),
    "nuclei": Analysis("Count of nuclei", ("image",), "fields:count"),
    "viability": Analysis("Living and dead cells", ("image",), "fields:viability"),
    "activation": Analysis("T-cell activation, label-free", ("image",), "fields:activation"),
    "confluence": Analysis("Confluence", ("image",), "fields:confluence"),
    "inspection": Analysis(
        "Cells, dead cells, debris and particles", ("image",), "fields:inspection"
    ),
    "microcarriers": Analysis(
        "Cells on microcarriers",
        ("image",),
        "fields:microcarriers",
        {"radius-px-least": "40", "radius-px-most": "160"},
    ),
    "colonies": Analysis(
        "Colonies and their founders, from a stack in the order of time",
        ("image",),
        "fields:colonies",
    ),
    "plate": Analysis("A plate by its assay definition", ("table",), "plates:plate"),
    "qpcr": Analysis("Copies by a qPCR standard curve", ("table",), "nucleic:qpcr", {"target": ""}),
    "digital-pcr": Analysis(
        "Copies by counting partitions, and vector copies per cell",
        ("table",),
        "nucleic:digital",
        {
            "vector": "",
            "genome": "",
            "genome-copies": "2",
            "partition-nl": "",
            "dilution": "1",
        },
    ),
    "reader": Analysis("An instrument's table, row by row", ("table",), "plates:table"),
}


def defects(method: Method) -> list[Problem]:
    """Give what a method says that no analysis understands: its name, or a setting."""
    if not method.analysis:
        return []
    found = ANALYSES.get(method.analysis)
    if found is None:
        return [
            Problem(
                code="analysis-unknown",
                what=f"analysis of method {method.heading.id}",
                found=method.analysis,
                limit=", ".join(ANALYSES),
                remedy="name one of these, or leave it out for results entered by hand",
                path="analysis",
            )
        ]
    return [
        Problem(
            code="method-setting-unknown",
            what=f"settings of method {method.heading.id}",
            found=name[:60],
            limit=", ".join(found.settings) or f"{method.analysis} takes none",
            remedy="leave it out, or choose from these",
            path=f"settings.{name}",
        )
        for name in method.settings
        if name not in found.settings
    ]


def analyse(source: Source, tell: Tell = lambda share, what: None) -> Found:
    """Analyse a file by a method.

    Args:
        source: The file, and the method in force, which names the analysis.
        tell: Called with how far it is (0 to 1) and what is being done.

    Raises:
        Refused: The method has no analysis or tells it what it does not take, the file is none
            that the analysis reads, or the analysis will not judge it.
    """
    path, method = source.path, source.method
    if problems := defects(method):
        raise Refused.of(problems)
    found = ANALYSES.get(method.analysis)
    if found is None:
        raise Refused(
            "analysis-unknown",
            what=f"analysis of {method.heading.id}",
            found="none: its results are entered by hand",
            limit=", ".join(ANALYSES),
            remedy="enter the result by hand, or choose another method",
        )
    tell(0.05, "looking at the file")
    intake = examine(path.name, path.read_bytes())
    if intake.media not in found.media:
        raise Refused(
            "file-of-another-kind",
            what=f"file {path.name[:80]}",
            found=intake.media,
            limit=" or ".join(found.media),
            remedy=f"choose a file that {found.title.lower()} reads, or another method",
        )
    settings = {**found.settings, **method.settings}
    return found.load()(replace(source, settings=settings), tell)

"""The refusals of flow cytometry, each code with its meaning in one sentence."""

from typing import Final

REFUSALS: Final[dict[str, str]] = {
    "fcs-not-fcs": "the file does not open with the six bytes FCSn.n of a known version",
    "fcs-header": "the 58-byte header names segments that cannot be",
    "fcs-text": "the TEXT segment is not a list of keywords and values",
    "fcs-text-too-large": "the TEXT segment or its number of keywords is over the named limit",
    "fcs-keyword": "a keyword that the data need is missing, or its value cannot be read",
    "fcs-unsupported": "the file uses a mode or layout that the standard has withdrawn",
    "fcs-offset": "HEADER and TEXT disagree about where a segment lies",
    "fcs-data-size": "the DATA segment does not hold the number of events stated",
    "fcs-truncated": "the file ends before a segment that it declares",
    "fcs-dataset": "the data set asked for is not in the file",
    "fcs-channel": "a channel is not in the file, or its name is used twice",
    "fcs-spillover": "the spillover matrix cannot be read, or cannot be inverted",
    "fcs-changed": "the file became shorter while it was read",
    "flow-file": "a file cannot be opened",
    "flow-xml": "the XML is malformed, declares entities, or is over the named limits",
    "gatingml-root": "the document is not Gating-ML 2.0",
    "gatingml-gate": "a gate is incomplete, contradictory or of an unknown kind",
    "gatingml-reference": "a gate, transformation or matrix is named that the document lacks",
    "gatingml-cycle": "gates refer to one another in a circle",
    "gate-dimension": "a gate needs a channel that the file lacks",
    "transform-parameter": "the parameters of a transformation are outside its domain",
    "auto-panel": "the panel has no channel for a marker that the gating needs",
    "auto-valley": "two populations are not separated well enough to place a threshold",
    "membership-name": "two gates would be written to files of the same name",
    "auto-control": "a control without a stain does not match the sample it is for",
    "auto-events": "there are too few events to place a threshold",
    "workspace": "the workspace is not one of the 10-series, or holds no such sample",
}

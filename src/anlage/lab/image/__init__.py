"""IMAGE: what a microscope saw becomes counts, viability, shape and state, or a refusal.

Touches: lab.method, base.
Touched by: app, web, cli.
Start at: picture.py (what was read), quality.py and domain.py (whether it can be judged), then
the method: nuclei.py, viability.py, activation.py.
"""

from .domain import Kind, kind_of
from .mask import write_labels
from .nuclei import CountResult, count_nuclei, segment_nuclei
from .picture import Picture, read_picture
from .quality import duplicates, fault, pixel_digest, weaknesses
from .score import Agreement, agreement

__all__ = [
    "Agreement",
    "CountResult",
    "Kind",
    "Picture",
    "agreement",
    "count_nuclei",
    "duplicates",
    "fault",
    "kind_of",
    "pixel_digest",
    "read_picture",
    "segment_nuclei",
    "weaknesses",
    "write_labels",
]

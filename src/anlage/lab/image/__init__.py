"""IMAGE: what a microscope saw becomes counts, viability, shape and state, or a refusal.

Touches: lab.method, base.
Touched by: app, web, cli.
Start at: picture.py (what was read), quality.py and domain.py (whether it can be judged), then
the method: nuclei.py, viability.py, activation.py, confluence.py, inspection.py, colony.py,
carrier.py. The recipes of the packaged networks begin with train.
"""

from .activation import ActivationResult, activation_score, judge_activation
from .carrier import Carrier, CarrierResult, count_on_carriers
from .colony import Clonality, Colony, ColonyResult, follow_colonies
from .confluence import ConfluenceResult, covered_by_cells, measure_confluence
from .domain import Kind, kind_of
from .inspection import InspectionResult, ObjectClass, SeenObject, inspect_objects
from .mask import write_labels
from .model import model_card
from .nuclei import CountResult, count_nuclei, segment_nuclei
from .overlay import Result, overlay_figure
from .picture import Picture, read_picture
from .quality import duplicates, fault, pixel_digest, weaknesses
from .score import Agreement, agreement
from .shape import measure_objects
from .split import Field, nuclei_fields
from .spoil import FAULTS, natural_pictures, small_natural_pictures
from .train import train_packaged
from .trait import TRAITS, traits
from .viability import (
    Cell,
    ViabilityResult,
    count_interval,
    find_cells,
    found_interval,
    judge_viability,
    viability_interval,
)

__all__ = [
    "FAULTS",
    "TRAITS",
    "ActivationResult",
    "Agreement",
    "Carrier",
    "CarrierResult",
    "Cell",
    "Clonality",
    "Colony",
    "ColonyResult",
    "ConfluenceResult",
    "CountResult",
    "Field",
    "InspectionResult",
    "Kind",
    "ObjectClass",
    "Picture",
    "Result",
    "SeenObject",
    "ViabilityResult",
    "activation_score",
    "agreement",
    "count_interval",
    "count_nuclei",
    "count_on_carriers",
    "covered_by_cells",
    "duplicates",
    "fault",
    "find_cells",
    "follow_colonies",
    "found_interval",
    "inspect_objects",
    "judge_activation",
    "judge_viability",
    "kind_of",
    "measure_confluence",
    "measure_objects",
    "model_card",
    "natural_pictures",
    "nuclei_fields",
    "overlay_figure",
    "pixel_digest",
    "read_picture",
    "segment_nuclei",
    "small_natural_pictures",
    "train_packaged",
    "traits",
    "viability_interval",
    "weaknesses",
    "write_labels",
]

"""The card of the program behind an analysis: what it was shown on, and what it may be used for."""

from anlage.library import Content, Method

from ..method import MethodCard


def card_of(method: Method, assay: Content | None = None) -> MethodCard | None:
    """Give the card of the program that a method's analysis runs.

    Args:
        method: The method.
        assay: Content of the assay that it follows; None for none.

    Returns:
        None for manual entry, and where the extra `lab` is not installed.
    """
    try:
        return _card(method, assay)
    except ModuleNotFoundError:
        return None


def _card(method: Method, assay: Content | None) -> MethodCard | None:
    match method.analysis:
        case "t-cell-gating":
            from anlage.lab.flow import CARD

            return CARD
        case "gating":
            from .tubes import WRITTEN_CARD

            return WRITTEN_CARD
        case "flow-quality":
            from .tubes import LOOK_CARD

            return LOOK_CARD
        case "nuclei" | "activation":
            from anlage.lab.image.model import method_card

            return method_card(method.analysis)  # type: ignore[arg-type]  # both are networks
        case "viability":
            from anlage.lab.image.model import method_card

            return method_card("chamber")
        case "confluence":
            from anlage.lab.image.confluence import CARD as CONFLUENCE

            return CONFLUENCE
        case "inspection":
            from anlage.lab.image.inspection import CARD as INSPECTION

            return INSPECTION
        case "microcarriers":
            from anlage.lab.image.carrier import CARD as CARRIERS

            return CARRIERS
        case "colonies":
            from anlage.lab.image.colony import CARD as COLONIES

            return COLONIES
        case "qpcr":
            from .nucleic import QPCR_CARD

            return QPCR_CARD
        case "digital-pcr":
            from .nucleic import DIGITAL_CARD

            return DIGITAL_CARD
        case "plate" if assay is not None:
            from .plates import card_of_assay

            return card_of_assay(assay)
        case "reader":
            from .plates import READER_CARD

            return READER_CARD
        case _:
            return None

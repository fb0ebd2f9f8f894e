"""The methods of this package and what each may be used for.

None comes qualified for control: a site validates a method on its own samples (ICH Q2(R2)) and
then says so in the assay's definition.
"""

from ..method import MethodCard, Purpose

_ALL = (Purpose.UNDERSTANDING, Purpose.DEVELOPMENT, Purpose.CONTROL)


def _card(name: str, domain: str, *sources: str) -> MethodCard:
    return MethodCard(
        name=name,
        version="1",
        purposes=_ALL,
        qualified_for=(),
        trained_domain=domain,
        sources=sources,
    )


CARDS: dict[str, MethodCard] = {
    card.name: card
    for card in (
        _card(
            "curve-fit",
            "any written curve by least squares; certified problems of NIST to ten digits",
            "NIST StRD, https://www.itl.nist.gov/div898/strd",
        ),
        _card(
            "relative-potency-4pl",
            "sigmoid dose responses with both ends shown; at least four doses",
            "USP <1032>, <1034>",
            "Ph. Eur. 5.3",
        ),
        _card(
            "relative-potency-5pl",
            "asymmetric dose responses with both ends shown; at least five doses",
            "USP <1034>",
            "Prentice, Biometrics 32 (1976), doi 10.2307/2529262",
        ),
        _card(
            "relative-potency-linear",
            "the straight part of a response over log dose",
            "Ph. Eur. 5.3 section 3.2",
            "Finney, Statistical Method in Biological Assay, 3rd ed.",
        ),
        _card(
            "relative-potency-slope-ratio",
            "responses straight in the dose from one intercept",
            "Ph. Eur. 5.3 section 3.3",
        ),
        _card(
            "standard-curve", "concentrations between the lowest and highest standard", "ICH M10"
        ),
        _card(
            "digital-pcr",
            "partitions of one volume, some positive and some negative",
            "Dube et al., PLoS ONE 3 (2008), doi 10.1371/journal.pone.0002876",
        ),
        _card(
            "limiting-dilution",
            "single-hit responses of independent wells",
            "Hu and Smyth, J Immunol Methods 347 (2009), doi 10.1016/j.jim.2009.06.008",
        ),
    )
}

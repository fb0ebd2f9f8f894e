"""Airports by their IATA code, from the `airportsdata` package (loaded on first use)."""

import functools

from anlage.base import Refused


@functools.lru_cache(maxsize=1)
def _airports() -> dict[str, dict[str, object]]:
    try:
        import airportsdata
    except ModuleNotFoundError as missing:
        raise Refused(
            "extra-missing",
            what="airports by their code",
            found="airportsdata is not installed",
            limit="the extra network",
            remedy="install anlage[network], or give latitude, longitude and country",
        ) from missing

    loaded: dict[str, dict[str, object]] = airportsdata.load("IATA")
    return loaded


def airport(code: str) -> tuple[float, float, str] | None:
    """Give latitude, longitude (degrees) and ISO 3166 country of an airport, or None.

    Raises:
        Refused: `extra-missing`: the airports are not installed.

    Example:
        >>> airport("AMS")[2]
        'NL'
    """
    found = _airports().get(code.strip().upper())
    if found is None:
        return None
    return float(str(found["lat"])), float(str(found["lon"])), str(found["country"])

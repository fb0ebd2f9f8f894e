"""Airports by their IATA code, from the `airportsdata` package (loaded on first use)."""

import functools


@functools.lru_cache(maxsize=1)
def _airports() -> dict[str, dict[str, object]]:
    import airportsdata

    loaded: dict[str, dict[str, object]] = airportsdata.load("IATA")
    return loaded


def airport(code: str) -> tuple[float, float, str] | None:
    """Give latitude, longitude (degrees) and ISO 3166 country of an airport, or None.

    Example:
        >>> airport("AMS")[2]
        'NL'
    """
    found = _airports().get(code.strip().upper())
    if found is None:
        return None
    return float(str(found["lat"])), float(str(found["lon"])), str(found["country"])

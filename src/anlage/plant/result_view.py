"""Results by method: what a method gave, in the order it gave it, for trends."""

from typing import Any

from anlage.base import Quantity, Refused
from anlage.library import Result
from anlage.record import Recorded, Rows


class ResultView:
    """One row per result that was entered; the facet is the method.

    Keys of a row: method, version, attribute, reported, value (text, or None for words), unit,
    outcome, sample, lot, analyst, at, state, number.
    """

    name = "results"
    version = 1
    families = frozenset({"sample"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact into the rows."""
        if recorded.is_withheld or recorded.stream.family != "sample":
            return
        sample, body = recorded.stream.id, recorded.body
        match recorded.kind:
            case "sample-taken":
                key = f"of:{sample}"
                rows.put(key, {"lot": body["lot"]}, facet="", order="")
            case "result-entered":
                origin = rows.get(f"of:{sample}") or {}
                row = _row(sample, str(origin.get("lot", "")), recorded)
                rows.put(f"{sample}:{body['attribute']}", row, facet=row["method"], order=row["at"])
            case "result-approved" | "result-invalidated":
                key = f"{sample}:{body['attribute']}"
                known = rows.get(key)
                if known is not None:
                    known["state"] = recorded.kind.partition("-")[2]
                    rows.put(key, known, facet=known["method"], order=known["at"])
            case _:
                return


def _row(sample: str, lot: str, recorded: Recorded) -> dict[str, Any]:
    body = recorded.body
    value, unit = _number(str(body["reported"]))
    return {
        "method": body["method"],
        "version": body["method_version"],
        "attribute": body["attribute"],
        "reported": body["reported"],
        "value": value,
        "unit": unit,
        "outcome": body["outcome"],
        "sample": sample,
        "lot": lot,
        "analyst": body["analyst"],
        "at": recorded.happened_text,
        "state": "entered",
        "number": recorded.number,
    }


def _number(reported: str) -> tuple[str | None, str]:
    """Give the number of a result and its unit; None for words and for bounds."""
    try:
        result = Result.parse(reported)
    except Refused:
        return None, ""
    if result.value is None or result.qualifier is not None:
        return None, ""
    return f"{Quantity(result.value, result.unit).value:f}", result.unit

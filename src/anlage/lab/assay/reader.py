"""What an instrument wrote becomes readings, row by row, with a verdict on each row.

The dialect is told by its column names, wherever in the file its header stands; the decimal sign
is declared and never guessed. A blank is no zero, an overflow is no number, and a file without a
single accepted row is refused.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from anlage.base import Problem, Refused

from ..columns import AUTO, decimal_of, is_blank, number, read_sheets
from ..plate import grids_in, well_name

HEADER_LINES = 80
NANOPLATE = "QIAcuity dPCR"
"""Partitions whose volume is that of the plate used, which the export does not state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One measured thing.

    Attributes:
        line: Line of the file.
        measure: What it is ("signal", "viability", "cq" …).
        value: The number, in `unit`; None where there is none.
        unit: UCUM unit.
        text: As the instrument wrote it.
        sample: Name of the sample; "" where the file gives none.
        well: Plain name of the well; "" where there is none.
        target: Gene or target; "" where there is none.
        qualifier: "<" or ">" where only a bound is known; "not detected"; else "".
    """

    line: int
    measure: str
    value: Decimal | None
    unit: str
    text: str
    sample: str = ""
    well: str = ""
    target: str = ""
    qualifier: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowVerdict:
    """What became of one row (or well) of the file."""

    line: int
    what: str
    is_accepted: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """A file as it was understood; a dry run shows it before anything is kept.

    Attributes:
        path: The file.
        dialect: Whose export it is.
        readings: What was measured.
        rows: A verdict per row.
    """

    path: str
    dialect: str
    readings: tuple[Reading, ...]
    rows: tuple[RowVerdict, ...]

    @property
    def accepted(self) -> int:
        """Rows accepted."""
        return sum(row.is_accepted for row in self.rows)

    @property
    def problems(self) -> list[Problem]:
        """A problem for each row that was not accepted."""
        return [
            Problem(
                code="row-not-accepted",
                what=row.what,
                found=row.reason,
                limit="a value",
                remedy="repeat the export, or enter the value by hand with a second check",
                path=self.path,
                line=row.line,
            )
            for row in self.rows
            if not row.is_accepted
        ]

    def signals(self) -> dict[str, Decimal]:
        """Give the signal of each well (the first grid or column of a plate reader)."""
        found: dict[str, Decimal] = {}
        for reading in self.readings:
            if reading.measure == "signal" and reading.well and reading.value is not None:
                found.setdefault(reading.well, reading.value)
        return found

    def as_dict(self) -> dict[str, object]:
        """Give the import as a JSON object."""
        return {
            "file": self.path,
            "dialect": self.dialect,
            "rows": len(self.rows),
            "accepted": self.accepted,
            "verdicts": [
                {"line": r.line, "what": r.what, "accepted": r.is_accepted, "reason": r.reason}
                for r in self.rows
            ],
            "readings": [
                {
                    "line": r.line,
                    "sample": r.sample,
                    "well": r.well,
                    "target": r.target,
                    "measure": r.measure,
                    "value": None if r.value is None else str(r.value),
                    "unit": r.unit,
                    "qualifier": r.qualifier,
                    "text": r.text,
                }
                for r in self.readings
            ],
            "problems": [problem.as_dict() for problem in self.problems],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dialect:
    """How one kind of export names its columns.

    Attributes:
        name: What it is called.
        needs: Measures of which all must be there for the dialect to be told.
        measures: Column names of each measure, and its unit.
        titles: Words in the file that name the instrument more closely.
        words: Measures whose values are words.
    """

    name: str
    needs: tuple[str, ...]
    measures: Mapping[str, tuple[tuple[str, ...], str]]
    titles: Mapping[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()


_SAMPLE = (
    "sample_id", "sample_name", "sample", "sample_description_1", "sampleid", "name", "bottle_id",
    "accession", "accession_number", "specimen", "id", "sample_lot", "sample_ntc_control",
    "probe", "proben_id", "probenname", "probenbezeichnung", "flaschen_id", "flasche",
    "echantillon", "id_echantillon", "nom_de_l_echantillon", "nom_echantillon", "id_flacon",
    "flacon",
)  # fmt: skip
_WELL = (
    "well_position", "well", "well_id", "well_name", "position", "wells", "pos", "kavitat",
    "vertiefung", "puits",
)  # fmt: skip
_WELL_ROW, _WELL_COLUMN = ("well_row", "row"), ("well_col", "well_column", "column", "col")
_SIGNAL = re.compile(
    r"\d{3}(_?nm)?(_.*)?|(a|od|abs|em|ex)_?\d{3}.*|(raw_data|absorbance|luminescence|fluorescence|rlu"
    r"|rfu|signal|meas|value|blank_corrected|counts|intensity|alpha|htrf)(_.*)?"
)
_TARGET = ("target", "target_name", "detector", "gene", "assay", "detector_name")
_TASK = ("task", "content", "sample_type", "type", "aufgabe", "inhalt")
_STANDARD = re.compile(
    r"(std|standard|etalon|étalon|calibrator|kalibrator)s?[\s_-]*\d*", re.IGNORECASE
)

_DIALECTS = (
    _Dialect(
        name="ddpcr",
        needs=("positives", "droplets"),
        measures={
            "positives": (("positives", "positive_droplets"), "1"),
            "negatives": (("negatives", "negative_droplets"), "1"),
            "droplets": (("accepteddroplets", "accepted_droplets", "total_droplets"), "1"),
            "concentration": (("concentration", "conc", "copies_per_ul"), "copy/uL"),
        },
        titles={"quantasoft": "QuantaSoft ddPCR", "qx manager": "QX Manager ddPCR"},
    ),
    _Dialect(
        name=NANOPLATE,
        needs=("positives", "droplets"),
        measures={
            "positives": (("partitions_positive", "positive_partitions"), "1"),
            "negatives": (("partitions_negative", "negative_partitions"), "1"),
            "droplets": (("partitions_valid", "valid_partitions"), "1"),
            "concentration": (("concentration", "conc"), "copy/uL"),
        },
    ),
    _Dialect(
        name="qpcr",
        needs=("cq",),
        measures={
            "cq": (("cq", "ct", "c", "cp", "cт", "crossing_point", "cq_mean"), "1"),
            "quantity": (("quantity", "sq", "starting_quantity"), "1"),
        },
    ),
    _Dialect(
        name="endotoxin-cartridge",
        needs=("endotoxin", "spike_recovery"),
        measures={
            "endotoxin": (
                ("endotoxin", "sample_value", "sample_result", "sample_eu_ml", "result", "eu_ml",
                 "endotoxin_value", "sample_concentration", "probenwert", "endotoxinwert",
                 "endotoxine", "valeur_de_l_echantillon", "valeur_echantillon"),
                "[EU]/mL",
            ),
            "spike_recovery": (
                ("spike_recovery", "recovery", "spike_rec", "ppc_recovery", "spike_wiederfindung",
                 "wiederfindung", "wiederfindungsrate", "recuperation_du_spike",
                 "taux_de_recuperation", "recuperation"),
                "%",
            ),
            "sample_cv": (("sample_cv", "sample_rxn_time_cv", "sample_time_cv"), "%"),
            "spike_cv": (("spike_cv", "spike_rxn_time_cv", "spike_time_cv"), "%"),
        },
    ),
    _Dialect(
        name="bact-alert",
        needs=("growth",),
        measures={
            "growth": (
                ("result", "final_result", "test_result", "status", "bottle_result",
                 "determination", "ergebnis", "testergebnis", "befund", "resultat",
                 "resultat_du_test", "statut"),
                "1",
            ),
            "time_to_detection": (
                ("time_to_detection", "ttd", "detection_time", "time_to_positive", "ttp",
                 "zeit_bis_detektion", "zeit_bis_zur_detektion", "detektionszeit",
                 "delai_de_detection", "temps_de_detection"), "h",
            ),
            "bottle_type": (
                ("bottle_type", "bottle", "media", "medium", "flaschentyp", "type_de_flacon"), "1",
            ),
        },
        words=("growth", "bottle_type"),
    ),
    _Dialect(
        name="cell-counter",
        needs=("viability",),
        measures={
            "viability": (
                ("viability", "viable", "percent_viability", "viab", "viabilitat",
                 "lebensfahigkeit", "zellviabilitat", "viabilite", "viabilite_cellulaire"),
                "%",
            ),
            # A count without a volume ("Viable cells" beside "Total viable cells / ml") comes last.
            "total_cells": (
                ("total", "total_cells_ml", "total_cell_concentration",
                 "total_cell_conc", "total_cells_per_ml", "total_concentration", "cells_ml",
                 "total_cell_density", "gesamtzellkonzentration", "gesamtzellen", "gesamtzellzahl",
                 "gesamtzellen_ml", "gesamt", "concentration_cellulaire_totale",
                 "cellules_totales", "cellules_totales_ml", "total_cells"),
                "cell/mL",
            ),
            "viable_cells": (
                ("live", "viable_cells_ml", "live_cell_concentration", "live_cell_conc",
                 "total_viable_cells_ml", "live_cells_ml", "viable_cell_density",
                 "viable_cells_per_ml", "live_cells_per_ml", "live_concentration",
                 "lebendzellkonzentration", "lebende_zellen", "lebendzellen", "lebendzellzahl",
                 "vitale_zellen",
                 "lebende_zellen_ml", "concentration_cellulaire_viable", "cellules_viables",
                 "cellules_vivantes", "cellules_viables_ml", "live_cells", "viable_cells"),
                "cell/mL",
            ),
            "dead_cells": (
                ("dead", "dead_cell_concentration", "dead_cell_conc", "dead_cells_ml",
                 "dead_cells_per_ml",
                 "dead_concentration", "totzellkonzentration", "tote_zellen", "tote_zellen_ml",
                 "concentration_cellulaire_morte", "cellules_mortes", "cellules_mortes_ml",
                 "dead_cells", "nonviable_cells"),
                "cell/mL",
            ),
            "diameter": (
                ("estimated_cell_diameter", "average_diameter", "avg_diam", "avg_diameter",
                 "average_cell_size", "avg_cell_size", "diameter", "cell_diameter",
                 "zelldurchmesser", "durchmesser", "mittlerer_durchmesser", "diametre",
                 "diametre_moyen", "diametre_cellulaire"),
                "um",
            ),
        },
        titles={
            "nucleocounter": "NucleoCounter", "nc-2": "NucleoCounter", "nc-3": "NucleoCounter",
            "nucleoview": "NucleoCounter", "via1": "NucleoCounter", "vi-cell": "Vi-CELL",
            "vicell": "Vi-CELL", "luna": "LUNA",
        },
    ),
    _Dialect(
        name="plate-list",
        needs=("signal",),
        measures={
            "signal": (
                ("signal", "value", "od", "absorbance", "abs", "rlu", "rfu", "fluorescence",
                 "luminescence", "reading", "response", "result", "intensity", "raw_data", "mfi",
                 "a450", "od450", "meas", "content_signal", "count", "counts"),
                "1",
            ),
        },
    ),
)  # fmt: skip
_NEEDS_WELL = {"plate-list", "qpcr", "ddpcr", NANOPLATE}
_UNDETECTED = {"undetermined", "undet", "nocq", "no_cq", "no_ct", "not_detected", "nd", "n_d"}
_OVERFLOW = {"ovrflw", "overflow", "over", "sat", "saturated", "ovr", "oor", "out"}


def read_reader_file(path: Path, *, decimal: str = AUTO) -> Import:
    """Read an instrument's export, whichever of the known dialects it is in.

    Args:
        path: CSV, TSV, text or XLSX.
        decimal: The decimal sign of the file; "auto" where its numbers tell it.

    Raises:
        Refused: The file cannot be read, no dialect fits, or not one row was accepted.
    """
    decimal = decimal_of(path) if decimal == AUTO else decimal
    found = _of_sheets(path, decimal)
    if found is None:
        raise Refused(
            "dialect-unknown",
            what="reader file",
            found="neither a plate grid nor known column names",
            limit=", ".join(["plate-grid", *(dialect.name for dialect in _DIALECTS)]),
            remedy="export a table with a header, such as Well and Signal",
            path=str(path),
        )
    if not found.accepted:
        others = found.problems
        raise Refused(
            "no-row-accepted",
            what=f"reader file ({found.dialect})",
            found=f"{len(found.rows)} rows, none accepted",
            limit="at least one row with a value",
            remedy="declare the decimal sign with --decimal, or export again",
            path=str(path),
            others=others[:20],
        )
    return found


def _of_sheets(path: Path, decimal: str) -> Import | None:
    """Read the one sheet with results; a named export goes before plain signals beside it."""
    read: list[tuple[str, Import]] = []
    for name, lines in read_sheets(path, decimal=decimal):
        title = " ".join(" ".join(cells) for _, cells in lines[:HEADER_LINES]).lower()
        title += f" {path.name.lower()}"
        found = _listed(lines, title, path, decimal) or _gridded(lines, path, decimal)
        if found is not None:
            read.append((name, found))
    held = [one for one in read if one[1].accepted]
    best = [one for one in held if one[1].dialect not in {"plate-list", "plate-grid"}] or held
    if len(best) > 1:
        raise Refused(
            "sheets-several",
            what="workbook",
            found=f"results on the sheets {', '.join(name for name, _ in best)}"[:300],
            limit="one sheet with results",
            remedy="save each of them as a file of its own",
            path=str(path),
        )
    return next((found for _, found in best or read), None)


def compare_entries(first: Import, second: Import) -> list[Problem]:
    """Compare two entries of the same results by two persons; any difference is a problem."""
    problems = []
    keys = [
        {(r.sample, r.well, r.target, r.measure): r for r in entry.readings}
        for entry in (first, second)
    ]
    for key in dict.fromkeys([*keys[0], *keys[1]]):
        one, other = keys[0].get(key), keys[1].get(key)
        shown = [
            "nothing" if r is None else r.text if r.value is None else str(r.value)
            for r in (one, other)
        ]
        is_same = (
            one is not None
            and other is not None
            and (one.value, one.qualifier) == (other.value, other.qualifier)
            and (one.value is not None or one.text == other.text)
        )
        if not is_same:
            present = one or other
            problems.append(
                Problem(
                    code="entries-differ",
                    what=" ".join(part for part in key if part),
                    found=f"{shown[0]} and {shown[1]}",
                    limit="the same value from both persons",
                    remedy="look at the source together and enter it again",
                    rule="EU GMP Annex 11 clause 6",
                    path=second.path,
                    line=present.line if present else None,
                )
            )
    return problems


def _listed(
    lines: Sequence[tuple[int, list[str]]], title: str, path: Path, decimal: str
) -> Import | None:
    """Find the first line that names the columns of a dialect, and read what stands below."""
    for at, (_, cells) in enumerate(lines[:HEADER_LINES]):
        if sum(bool(cell) for cell in cells) < 2:
            continue
        keys = [_key(cell) for cell in cells]
        for dialect in _DIALECTS:
            places = {
                measure: place
                for measure, (names, _) in dialect.measures.items()
                if (place := _place(keys, names)) is not None
            }
            well, sample = _place(keys, _WELL), _place(keys, _SAMPLE)
            well_column = None
            if well is None and (row := _place(keys, _WELL_ROW)) is not None:
                well, well_column = row, _place(keys, _WELL_COLUMN)
            if dialect.name == "plate-list" and "signal" not in places and well is not None:
                signal = _signal_place(keys)
                places |= {} if signal is None else {"signal": signal}
            if not all(need in places for need in dialect.needs):
                continue
            if (dialect.name in _NEEDS_WELL and well is None) or (well is None and sample is None):
                continue
            return _rows(
                dialect, lines[at + 1 :], cells, places, well, sample, _place(keys, _TARGET),
                title, path, decimal, well_column,
            )  # fmt: skip
    return None


def _signal_place(keys: Sequence[str]) -> int | None:
    """Give the one column whose name tells a signal by its kind or wavelength; None in doubt."""
    found = [place for place, key in enumerate(keys) if _SIGNAL.fullmatch(key)]
    return found[0] if len(found) == 1 else None


def _rows(
    dialect: _Dialect,
    lines: Sequence[tuple[int, list[str]]],
    header: Sequence[str],
    places: Mapping[str, int],
    well: int | None,
    sample: int | None,
    target: int | None,
    title: str,
    path: Path,
    decimal: str,
    well_column: int | None = None,
) -> Import:
    readings: list[Reading] = []
    rows: list[RowVerdict] = []
    task = _place([_key(cell) for cell in header], _TASK) if dialect.name == "qpcr" else None
    for line, cells in lines:
        if not any(cells):
            continue

        def at(place: int | None, row: Sequence[str] = cells) -> str:
            return row[place].strip() if place is not None and place < len(row) else ""

        name, where = at(sample), well_name(at(well) + at(well_column)) or ""
        what = " ".join(part for part in (where, name, at(target)) if part) or "row without a name"
        if not where and not name:
            lacks = "no sample" if well is None else "no well and no sample"
            rows.append(RowVerdict(line=line, what=what, is_accepted=False, reason=lacks))
            continue
        reasons = []
        for measure, place in places.items():
            unit, scale = _unit(header[place], dialect.measures[measure][1])
            cell = at(place)
            is_needed = measure in dialect.needs
            if measure == "quantity" and at(task) and not _STANDARD.fullmatch(at(task)):
                continue  # The instrument's own result for a sample; only standards state one.
            if measure in dialect.words:
                value, qualifier, reason = None, "", "" if not is_blank(cell) else "blank"
            else:
                # Bio-Rad's cyclers write NaN where no cycle crossed the threshold.
                none = measure == "cq" and cell.casefold() == "nan"
                value, qualifier, reason = _value("undetermined" if none else cell, decimal)
            if reason:
                if is_needed or not is_blank(cell):
                    reasons.append(f"{measure} {reason}")
                continue
            if value is not None and not _can_be(measure, value):
                reasons.append(f"{measure} cannot be {cell[:20]}")
                continue
            readings.append(
                Reading(
                    line=line,
                    measure=measure,
                    value=None if value is None else value * scale,
                    unit=unit,
                    text=cell,
                    sample=name,
                    well=where,
                    target=at(target),
                    qualifier=qualifier,
                )
            )
        rows.append(
            RowVerdict(
                line=line, what=what, is_accepted=not reasons, reason="; ".join(reasons) or "read"
            )
        )
    bad = {row.line for row in rows if not row.is_accepted}
    named = next((name for word, name in dialect.titles.items() if word in title), dialect.name)
    return Import(
        path=str(path),
        dialect=named,
        readings=tuple(r for r in readings if r.line not in bad),
        rows=tuple(rows),
    )


def _gridded(lines: list[tuple[int, list[str]]], path: Path, decimal: str) -> Import | None:
    grids = grids_in(lines)
    if not grids:
        return None
    readings, rows = [], []
    for count, (caption, wells) in enumerate(grids, start=1):
        target = caption if len(grids) > 1 else ""
        for well, (line, cell) in wells.items():
            value, qualifier, reason = _value(cell, decimal)
            what = f"well {well}{f' of grid {count}' if len(grids) > 1 else ''}"
            rows.append(
                RowVerdict(line=line, what=what, is_accepted=not reason, reason=reason or "read")
            )
            if not reason:
                readings.append(
                    Reading(
                        line=line, measure="signal", value=value, unit="1", text=cell, well=well,
                        target=target, qualifier=qualifier,
                    )
                )  # fmt: skip
    return Import(path=str(path), dialect="plate-grid", readings=tuple(readings), rows=tuple(rows))


def _value(cell: str, decimal: str) -> tuple[Decimal | None, str, str]:
    """Give value, qualifier, and the reason where the cell cannot be accepted."""
    plain = number(cell, decimal=decimal)
    if plain is not None:
        return plain, "", ""
    key = _key(cell)
    if key in _UNDETECTED or cell.strip().lower() in {"n/d", "no cq"}:
        return None, "not detected", ""
    if is_blank(cell):
        return None, "", "blank"
    if key in _OVERFLOW or set(cell.strip()) == {"*"} or set(cell.strip()) == {"#"}:
        return None, "", f"out of the reader's range ({cell.strip()[:20]})"
    match = re.fullmatch(r"([<>]=?|≤|≥)?\s*(.*?)\s*%?", cell.strip())
    qualifier, body = (match[1] or "", match[2]) if match else ("", cell)
    value = number(body, decimal=decimal)
    if value is None:
        other = "," if decimal == "." else "."
        if number(body, decimal=other) is not None:
            return None, "", f"{cell.strip()[:20]!r} has another decimal sign than {decimal!r}"
        return None, "", f"{cell.strip()[:30]!r} is no number"
    qualifier = {"<": "<", "<=": "<", "≤": "<", ">": ">", ">=": ">", "≥": ">"}.get(qualifier, "")
    return value, qualifier, ""


def _can_be(measure: str, value: Decimal) -> bool:
    """Say whether a figure can be: only a signal, less its blank, lies below zero."""
    return measure == "signal" or 0 <= value <= (100 if measure == "viability" else value)


def _unit(header: str, unit: str) -> tuple[str, Decimal]:
    """Give the unit of a column and the power of ten written in its header ("x10^6")."""
    plain = unicodedata.normalize("NFKC", header.lower())
    power = re.search(
        r"10\s*\^?\s*([3-9]|1[0-2])\b|(?<!\d)10?e\+?0?([3-9]|1[0-2])\b|\b(mio|millions?|mill?ionen)\b",
        plain,
    )
    scale = Decimal(1)
    if power and unit.startswith("cell"):
        scale = Decimal(10) ** int(power[1] or power[2] or 6)
    if unit == "h" and re.search(r"\b(?:days?|tag(?:en?)?|jours?)\b", header.lower()):
        scale = Decimal(24)
    return unit, scale


def _place(keys: Sequence[str], names: Sequence[str]) -> int | None:
    return next((keys.index(name) for name in names if name in keys), None)


def _key(cell: str) -> str:
    """Give a header's name: without case, accents, units in brackets, powers of ten and signs.

    Of partitions the word in brackets tells which they are, so that it stays.
    """
    plain = unicodedata.normalize("NFKD", cell.lower().replace("µ", "u").replace("%", " "))
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    if not plain.strip().startswith("partitions"):
        plain = re.sub(r"[(\[].*?[)\]]", " ", plain)
    plain = re.sub(r"[x×*]?\s*10\s*\^\s*\d+|[x×*]\s*10\d+|(?<!\d)10?e\+?\d+", " ", plain)
    return re.sub(r"[^a-zт0-9]+", "_", plain).strip("_")

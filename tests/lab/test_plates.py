"""Plates: reader files in, results out; nothing guessed, no blank read as zero."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anlage.base import Refused
from anlage.cli.shell import main
from anlage.lab.assay import (
    compare_entries,
    evaluate_plate,
    read_definition,
    read_reader_file,
    starters,
    wells_in,
)
from anlage.lab.columns import _spread_merged

DEFINITION = """
kind: assay
id: ifng-potency
title: Interferon gamma release
basis: illustrative
purpose: control
analysis: potency
model: 4pl
unit: "1"
subtract-blank: true
reference-value: "1.0"
reference-material: RM-1
layout:
  - {wells: A1:H1, role: blank}
  - {wells: A2:H3, role: reference, name: RS, doses: [64, 32, 16, 8, 4, 2, 1, 0.5]}
  - {wells: A4:H5, role: sample, name: S1, doses: [64, 32, 16, 8, 4, 2, 1, 0.5]}
  - {wells: A6:H7, role: control, name: PC, doses: [64, 32, 16, 8, 4, 2, 1, 0.5], expected: "1.2"}
validity:
  - {attribute: r-squared, lower: "0.98"}
  - {attribute: replicate-cv-max, unit: "%", upper: 20}
  - {attribute: pc-recovery, unit: "%", lower: 80, upper: 125}
acceptance: {attribute: potency, lower: "0.5", upper: "1.5"}
"""

ELISA = """
kind: assay
id: il6-elisa
title: IL-6
basis: illustrative
analysis: quantify
unit: pg/mL
layout:
  - {wells: A1:H2, role: reference, name: STD, doses: [1000, 500, 250, 125, 62.5, 31.25, 15.6, 0]}
  - {wells: A3:A4, role: sample, name: U1, dilution: 10}
  - {wells: B3:B4, role: sample, name: U1, dilution: 100}
  - {wells: C3:C4, role: sample, name: U2}
  - {wells: D3:D4, role: sample, name: U3}
"""


def curve(dose, ec50=8.0):
    return 0.05 + 1.8 / (1 + (ec50 / max(dose, 1e-9)) ** 1.3)


def plate_values(rng, potency=0.8, control=1.2):
    values = np.full((8, 12), 0.05)
    for row, dose in enumerate([64, 32, 16, 8, 4, 2, 1, 0.5]):
        for column, strength in (
            (1, 1),
            (2, 1),
            (3, potency),
            (4, potency),
            (5, control),
            (6, control),
        ):
            values[row, column] = 0.05 + curve(dose * strength)
    return values + rng.normal(0, 0.004, (8, 12))


def grid_text(values, *, separator=",", sign=".", head="Plate 1") -> str:
    lines = [head, separator.join(["", *map(str, range(1, values.shape[1] + 1))])]
    for row in range(values.shape[0]):
        cells = [f"{v:.4f}".replace(".", sign) for v in values[row]]
        lines.append(separator.join([chr(65 + row), *cells]))
    return "\n".join(lines) + "\n"


@pytest.fixture
def potency_definition(tmp_path):
    path = tmp_path / "assay.yaml"
    path.write_text(DEFINITION)
    return path


def test_a_plate_gives_potency_validity_and_a_verdict(tmp_path, potency_definition, capsys):
    plate = tmp_path / "plate.csv"
    plate.write_text(grid_text(plate_values(np.random.default_rng(1))))

    words = ["--samples", "S1=LOT-0412", "--json"]
    assert main(["assay", "run", str(potency_definition), str(plate), *words]) == 0

    found = json.loads(capsys.readouterr().out)
    assert found["valid"] is True and found["reportable"] is True
    result = found["results"][0]
    assert result["sample"] == "LOT-0412"
    assert result["low"] < 0.8 < result["high"]
    assert (result["parallel"], result["outcome"]) == (True, "pass")
    assert found["measured"]["pc-recovery"] == pytest.approx(100, abs=6)


def test_a_control_that_fails_makes_the_plate_invalid(tmp_path, potency_definition, capsys):
    plate = tmp_path / "plate.csv"
    plate.write_text(grid_text(plate_values(np.random.default_rng(1), control=0.6)))

    assert main(["assay", "run", str(potency_definition), str(plate), "--json"]) == 2

    found = json.loads(capsys.readouterr().out)
    assert (found["valid"], found["reportable"]) == (False, False)
    assert found["validity"]["pc-recovery"]["outcome"] == "fail"


def test_a_blank_well_is_refused_and_never_read_as_zero(tmp_path, potency_definition, capsys):
    values = plate_values(np.random.default_rng(1))
    lines = grid_text(values).splitlines()
    cells = lines[4].split(",")
    cells[3] = ""
    lines[4] = ",".join(cells)
    plate = tmp_path / "plate.csv"
    plate.write_text("\n".join(lines))

    assert main(["assay", "run", str(potency_definition), str(plate), "--json"]) == 2

    refused = json.loads(capsys.readouterr().out)["plates"][0]["refused"]
    assert refused["code"] == "well-without-signal"
    assert "C3" in refused["found"]


def test_a_figure_out_of_its_own_history_rejects_the_plate(tmp_path, potency_definition, capsys):
    plate, history = tmp_path / "plate.csv", tmp_path / "history.csv"
    plate.write_text(grid_text(plate_values(np.random.default_rng(1))))
    rng = np.random.default_rng(2)
    rows = "".join(f"blank-mean,{0.02 + v:.5f}\n" for v in rng.normal(0, 0.002, 20))
    history.write_text("attribute,value\n" + rows)

    words = ["--history", str(history), "--json"]
    assert main(["assay", "run", str(potency_definition), str(plate), *words]) == 2

    trend = json.loads(capsys.readouterr().out)["trend"]
    assert trend[0]["gate"] == "reject"
    assert "1_3s" in trend[0]["rules"]


def test_an_elisa_reads_its_curve_backwards_and_bounds_what_lies_off_it(tmp_path):
    path = tmp_path / "elisa.yaml"
    path.write_text(ELISA)
    rng = np.random.default_rng(3)
    values = np.full((8, 12), 0.05)
    for row, dose in enumerate([1000, 500, 250, 125, 62.5, 31.25, 15.6, 0]):
        values[row, :2] = curve(dose, ec50=150)
    values[0, 2:4] = curve(400, ec50=150)  # 4,000 diluted tenfold
    values[1, 2:4] = curve(40, ec50=150)
    values[2, 2:4] = 0.051
    values[3, 2:4] = 1.849
    values += rng.normal(0, 0.003, values.shape)
    plate = tmp_path / "plate.csv"
    plate.write_text(grid_text(values))

    found = evaluate_plate(read_definition(path), read_reader_file(plate))

    u1, u2, u3 = found.results
    assert u1.value == pytest.approx(4000, rel=0.05)
    assert u1.low < 4000 < u1.high
    assert (u2.qualifier, u2.value) == ("<", 15.6)
    assert (u3.qualifier, u3.value) == (">", 1000)
    assert found.is_reportable is False  # no validity rules, and no method for control


@settings(deadline=None, max_examples=20)
@given(
    seed=st.integers(0, 2**31),
    separator=st.sampled_from([",", ";", "\t"]),
    comma=st.booleans(),
)
def test_a_grid_comes_back_as_it_was_written(tmp_path_factory, seed, separator, comma):
    sign = "," if comma else "."
    if comma and separator == ",":
        separator = ";"
    values = np.round(np.random.default_rng(seed).uniform(0, 4, (8, 12)), 4)
    plate = tmp_path_factory.mktemp("grid") / "p.csv"
    plate.write_text(grid_text(values, separator=separator, sign=sign))

    found = read_reader_file(plate, decimal=sign)

    signals = found.signals()
    assert len(signals) == 96
    assert all(
        float(signals[f"{chr(65 + r)}{c + 1}"]) == pytest.approx(values[r, c])
        for r in range(8)
        for c in range(12)
    )


EXPORTS = {
    "nucleocounter.csv": (
        "NucleoView NC-200 report\nImage;Sample ID;Viability (%);Live (cells/ml);Dead (cells/ml);"
        "Total (cells/ml)\n1;LOT-1;93.4;1.02E6;7.2E4;1.09E6\n2;LOT-2;88.1;9.1E5;1.2E5;1.03E6\n",
        "NucleoCounter", ("LOT-1", "viable_cells", 1.02e6),
    ),
    "vicell.csv": (
        "Vi-CELL XR\nSample ID,Total cells / ml (x 10^6),Total viable cells / ml (x 10^6),"
        "Viability (%),Average diameter (microns)\nA12,2.5,2.3,92.0,11.4\n",
        "Vi-CELL", ("A12", "viable_cells", 2.3e6),
    ),
    "luna.csv": (
        "LUNA-FX7\nSample name,Total cell concentration,Live cell concentration,Viability (%)\n"
        "d3,1500000,1410000,94\n",
        "LUNA", ("d3", "viability", 94),
    ),
    "bact.csv": (
        "Accession,Bottle type,Result,Time to detection (days)\nS-1,BPA,Negative,\nS-2,BPN,Positive,1.5\n",
        "bact-alert", ("S-2", "time_to_detection", 36),
    ),
    "endosafe.csv": (
        "Sample ID,Lot number,Sample value (EU/mL),Spike recovery (%),Sample CV (%),Spike CV (%)\n"
        "LOT-1,9,<0.050,112,0.0,3.1\n",
        "endotoxin-cartridge", ("LOT-1", "endotoxin", 0.05),
    ),
    "qpcr.csv": (
        "Block Type,96\n\nWell Position,Sample Name,Target Name,CT\nA1,S1,WPRE,24.31\nA2,NTC,WPRE,Undetermined\n",
        "qpcr", ("S1", "cq", 24.31),
    ),
    "ddpcr.csv": (
        "Well,Sample,Target,Concentration,Positives,Negatives,AcceptedDroplets\nA01,S1,VEC,410,4500,10500,15000\n",
        "ddpcr", ("S1", "droplets", 15000),
    ),
    "list.csv": ("Well,Absorbance\nA1,0.12\nA2,0.34\n", "plate-list", ("", "signal", 0.12)),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPORTS)
def test_the_exports_of_a_hospital_are_told_apart_and_read(tmp_path, name):
    content, dialect, (sample, measure, value) = EXPORTS[name]
    path = tmp_path / name
    path.write_text(content)

    found = read_reader_file(path)

    assert found.dialect == dialect
    assert found.accepted == len(found.rows)
    assert any(
        r.sample == sample and r.measure == measure and float(r.value) == pytest.approx(value)
        for r in found.readings
        if r.value is not None
    )


def test_below_a_limit_and_undetermined_are_kept_as_such(tmp_path):
    paths = {}
    for name in ("endosafe.csv", "qpcr.csv"):
        paths[name] = tmp_path / name
        paths[name].write_text(EXPORTS[name][0])

    endotoxin = read_reader_file(paths["endosafe.csv"]).readings[0]
    none = next(r for r in read_reader_file(paths["qpcr.csv"]).readings if r.sample == "NTC")

    assert (endotoxin.qualifier, str(endotoxin.value)) == ("<", "0.050")
    assert (none.qualifier, none.value) == ("not detected", None)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("Well,Signal\nA1,\nA2,\n", "no-row-accepted"),
        ("Well,Signal\n", "no-row-accepted"),
        ("hello\nworld\n", "dialect-unknown"),
        ("", "file-empty"),
        ("Well;Signal\nA1;1,500\nA2;2,600\n", "no-row-accepted"),
    ],
)
def test_a_file_without_an_accepted_row_is_a_failure(tmp_path, capsys, content, code):
    path = tmp_path / "r.csv"
    path.write_text(content)

    assert main(["assay", "read", str(path), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["problems"][0]["code"] == code


def test_a_dry_run_names_the_line_of_each_row_it_would_not_take(tmp_path, capsys):
    path = tmp_path / "r.csv"
    path.write_text('Well,Signal\nA1,0.5\nA2,OVRFLW\nA3,\nA4,"0,7"\n')

    assert main(["assay", "read", str(path), "--json"]) == 2

    found = json.loads(capsys.readouterr().out)
    assert (found["rows"], found["accepted"]) == (4, 1)
    assert [v["line"] for v in found["verdicts"] if not v["accepted"]] == [3, 4, 5]
    assert "decimal sign" in found["verdicts"][3]["reason"]


def test_two_entries_by_hand_must_agree(tmp_path):
    texts = ("sample,viability\nL1,91.5\nL2,88\n", "sample,viability\nL1,91.5\nL2,83\n")
    entries = []
    for k, text in enumerate(texts):
        path = tmp_path / f"entry{k}.csv"
        path.write_text(text)
        entries.append(read_reader_file(path))

    problems = compare_entries(*entries)

    assert [(p.code, p.found, p.line) for p in problems] == [("entries-differ", "88 and 83", 3)]


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "x.csv"
    path.write_bytes(content)
    try:
        read_reader_file(path)
    except Refused as refusal:
        assert refusal.problem.path == str(path)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (("wells: A4:H5", "wells: A3:H5"), "layout"),
        (("wells: A4:H5", "wells: A4:J5"), None),
        (("doses: [64, 32, 16, 8, 4, 2, 1, 0.5]}\n  - {wells: A4", "doses: [64, 32]}\n  - {wells: A4"),
         "layout[1].doses"),
        (("role: blank", "role: nothing"), "layout[0].role"),
        (("model: 4pl", "modle: 4pl"), "modle"),
        (("kind: assay", "kind: [assay"), None),
    ],
)  # fmt: skip
def test_a_definition_with_a_mistake_is_refused_at_its_place(potency_definition, change, path):
    potency_definition.write_text(DEFINITION.replace(*change))

    with pytest.raises(Refused) as refusal:
        read_definition(potency_definition)

    problems = refusal.value.problems
    assert all(problem.path == str(potency_definition) and problem.line for problem in problems)
    if path:
        assert any(path in problem.what for problem in problems)


def test_ranges_of_wells_run_row_by_row():
    assert wells_in("A1:B2, h12") == ["A1", "A2", "B1", "B2", "H12"]


def test_a_workbook_is_read_as_the_same_grid(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    values = np.round(np.random.default_rng(5).uniform(0, 3, (8, 12)), 3)
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Plate 1"])
    sheet.append([None, *range(1, 13)])
    for row in range(8):
        sheet.append([chr(65 + row), *values[row].tolist()])
    path = tmp_path / "plate.xlsx"
    book.save(path)

    for sign in (".", ","):  # a workbook holds numbers: its signs are not text
        signals = read_reader_file(path, decimal=sign).signals()
        assert float(signals["C7"]) == pytest.approx(values[2, 6])
        assert len(signals) == 96


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_encodings_of_instruments_are_read(tmp_path, encoding, end):
    text = end.join(["Sample ID;Viability (%);Diameter (µm)", "Lot ä;91.5;11.2"]) + end
    path = tmp_path / "count.csv"
    path.write_bytes(text.encode(encoding))

    found = read_reader_file(path)

    assert found.readings[0].sample == "Lot ä"
    assert {r.measure for r in found.readings} == {"viability", "diameter"}


def test_several_grids_are_told_apart_by_their_captions(tmp_path):
    one, two = np.full((8, 12), 0.5), np.full((8, 12), 0.1)
    path = tmp_path / "two.csv"
    path.write_text(grid_text(one, head="450 nm") + "\n" + grid_text(two, head="620 nm"))

    found = read_reader_file(path)

    assert {r.target for r in found.readings} == {"450 nm", "620 nm"}
    assert len(found.readings) == 192
    assert float(found.signals()["A1"]) == 0.5


def test_the_definitions_carried_along_are_sound_and_run_by_name(tmp_path, capsys):
    from pathlib import Path

    for name in starters():
        assert read_definition(Path(name)).heading.id == name
        assert read_definition(Path(name)).validity
    plate = tmp_path / "p.csv"
    rng = np.random.default_rng(4)
    values = np.empty((8, 12))
    for row, dose in enumerate([64, 32, 16, 8, 4, 2, 1, 0.5]):
        values[row] = [curve(dose * s) for s in (1, 1, 1, 1, 0.7, 0.7, 1, 1, 1.2, 1.2, 1, 1)]
    plate.write_text(grid_text(values + rng.normal(0, 0.004, values.shape)))

    assert main(["assay", "run", "relative-potency-96", str(plate), "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert found["results"][0]["value"] == pytest.approx(0.7, rel=0.05)
    assert found["reportable"] is False  # a method for development


READS = [[[0.1 * k + i + 5 * read for k in range(12)] for i in range(8)] for read in range(2)]


def _cells(values: list[float], sign: str = "\t") -> str:
    return sign.join(f"{value:.3f}" for value in values)


def test_two_wavelengths_under_one_another_in_each_row_are_two_grids(tmp_path):
    """Gen5 writes the reads of a plate so, with the wavelength at the end of each line."""
    lines = ["Results", "\t" + "\t".join(map(str, range(1, 13)))]
    for i, letter in enumerate("ABCDEFGH"):
        lines += [f"{letter}\t{_cells(READS[0][i])}\t450", f"\t{_cells(READS[1][i])}\t570"]
    path = tmp_path / "gen5.txt"
    path.write_text("\n".join(lines) + "\n")

    found = read_reader_file(path)

    values = {(r.target, r.well): float(r.value) for r in found.readings}
    assert len(values) == 192
    assert (values["450", "C4"], values["570", "C4"]) == (2.3, 7.3)


def test_two_wavelengths_side_by_side_are_two_grids(tmp_path):
    """SoftMax Pro writes the reads of a plate so, without letters."""
    heads = "\t".join(map(str, range(1, 13)))
    lines = ["##BLOCKS= 1", f"\tTemperature(\u00b0C)\t{heads}\t\t{heads}"]
    lines += [f"\t25.1\t{_cells(READS[0][i])}\t\t{_cells(READS[1][i])}" for i in range(8)]
    path = tmp_path / "softmax.txt"
    path.write_text("\n".join([*lines, "", "~End", ""]))

    found = read_reader_file(path)

    assert [float(r.value) for r in found.readings if r.well == "C4"] == [2.3, 7.3]


def _workbook(path, sheets, merged=""):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    if merged:
        sheet.merge_cells(merged)
    book.save(path)
    return path


GRID = [[None, *range(1, 13)]] + [["ABCDEFGH"[i], *READS[0][i]] for i in range(8)]


def test_results_are_found_behind_a_cover_sheet_and_two_sheets_of_them_are_asked_about(tmp_path):
    cover = [["Reader"], ["Operator", "N"]]
    found = read_reader_file(_workbook(tmp_path / "a.xlsx", {"Info": cover, "Plate": GRID}))

    assert float(found.signals()["C4"]) == pytest.approx(2.3)
    with pytest.raises(Refused) as refusal:
        read_reader_file(_workbook(tmp_path / "b.xlsx", {"P1": GRID, "P2": GRID}))
    assert refusal.value.code == "sheets-several"
    assert refusal.value.problem.found == "results on the sheets P1, P2"


def test_an_export_goes_before_raw_signals_on_another_sheet(tmp_path):
    sheets = {
        "Melt Curve Raw Data": [["Well", "Fluorescence"], ["A1", 1000.5]],
        "Results": [["Well", "Sample Name", "CT"], ["A1", "S1", 22.5]],
    }

    found = read_reader_file(_workbook(tmp_path / "qpcr.xlsx", sheets))

    assert [(r.measure, str(r.value)) for r in found.readings] == [("cq", "22.5")]


def test_a_name_merged_over_rows_holds_for_each_of_them(tmp_path):
    rows = [["Well", "Sample", "Cq"], ["A1", "S1", 22.1], ["A2", None, 22.2], ["A3", "S2", 25.5]]

    found = read_reader_file(_workbook(tmp_path / "q.xlsx", {"R": rows}, merged="B2:B3"))

    assert [r.sample for r in found.readings] == ["S1", "S1", "S2"]


def test_cells_merged_beyond_what_is_filled_in_refuse_nothing(tmp_path):
    rows = [["Well", "Sample", "Cq"], ["A1", "S1", 22.1], ["A2", "S2", 22.2]]

    found = read_reader_file(_workbook(tmp_path / "q.xlsx", {"R": rows}, merged="Z1:Z3"))

    assert [r.sample for r in found.readings] == ["S1", "S2"]


def test_ranges_that_lie_on_one_another_fill_no_cell_twice():
    filled = []

    class Row(list):
        def __setitem__(self, place, value):
            filled.append(place)
            super().__setitem__(place, value)

    lines = [(line, Row([str(line), ""])) for line in range(1, 301)]
    list.__setitem__(lines[0][1], 1, "S1")

    _spread_merged(lines, [((top, 1), (299, 1)) for top in range(300)])

    assert {cells[1] for _, cells in lines} == {"S1"}
    assert len(filled) == 299

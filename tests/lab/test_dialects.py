"""Files as laboratories have them: separators, decimal commas, encodings, words above the table."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anlage.base import Refused
from anlage.lab.assay import read_reader_file, read_wells
from anlage.lab.columns import AUTO, decimal_of, number
from anlage.lab.stability import Side, read_study, shelf_life

YEARS = (
    (0, "99.8"),
    (3, "99.1"),
    (6, "98.6"),
    (9, "97.9"),
    (12, "97.4"),
    (18, "96.2"),
    (24, "95.0"),
)
PLAIN = "batch,month,value\n" + "".join(f"A,{m},{v}\n" for m, v in YEARS)
ROWS = "".join(f"A;{m};{v.replace('.', ',')}\n" for m, v in YEARS)
STUDIES = {
    "plain": PLAIN.encode(),
    "byte mark and blank lines": ("﻿" + PLAIN.replace("\n", "\r\n\r\n")).encode(),
    "upper case, spaces": PLAIN.replace("batch,month,value", " BATCH , Month , VALUE ").encode(),
    "semicolons, decimal commas, words above": (
        "Stability of X;;\nStorage;5 °C;\n\nLot No;Time (months);Assay (% label claim)\n" + ROWS
    ).encode("cp1252"),
    "tabs in two bytes": PLAIN.replace(",", "\t").encode("utf-16"),
    "two bytes without their mark": PLAIN.encode("utf-16-le"),
    "percent signs": PLAIN.replace("\n", " %\n").replace("value %", "value").encode(),
    "another name of the value": PLAIN.replace("value", "Purity by HPLC (%)").encode(),
    "empty column at the end": PLAIN.replace("\n", ",\n").encode(),
}


@pytest.mark.parametrize("name", STUDIES)
def test_the_same_study_is_read_out_of_every_dialect(tmp_path, name):
    path = tmp_path / "study.csv"
    path.write_bytes(STUDIES[name])

    found = shelf_life(read_study(path, decimal=AUTO), limit=93, side=Side.LOWER)

    assert found.crossing == pytest.approx(33.49, abs=0.01)
    assert found.months == 33


def test_weeks_and_days_become_months(tmp_path):
    weeks, days = tmp_path / "w.csv", tmp_path / "d.csv"
    weeks.write_text("batch,Time (weeks),value\nA,0,100\nA,52.178571428571,98\n")
    days.write_text("batch,days,value\nA,0,100\nA,365.25,98\n")

    assert read_study(weeks).month[1] == pytest.approx(12)
    assert read_study(days).month[1] == pytest.approx(12)


def test_a_column_per_batch_is_read_as_batches(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_text("Month;Lot A;Lot B\n0;99,8;99,9\n3;99,1;\n6;98,6;98,5\n")

    study = read_study(path, decimal=AUTO)

    assert study.batch == ("Lot A",) * 3 + ("Lot B",) * 2
    assert study.month.tolist() == [0, 3, 6, 0, 6]


def test_numbers_that_leave_the_sign_open_are_not_guessed(tmp_path):
    path = tmp_path / "s.csv"
    path.write_text("batch;month;value\nA;0;1,500\nA;3;1,400\nA;6;1,300\n")

    assert decimal_of(path) == "."
    with pytest.raises(Refused, match="declare the decimal sign"):
        read_study(path, decimal=AUTO)
    assert float(read_study(path, decimal=",").value[0]) == 1.5


@pytest.mark.parametrize(
    ("cell", "decimal", "value"),
    [
        ("1,234.5", ".", "1234.5"), ("1.234,5", ",", "1234.5"), ("1 234,5", ",", "1234.5"),
        ("1'234.5", ".", "1234.5"), ("2,500,000", ".", "2500000"), ("92.4 %", ".", "92.4"),
        ("1,234", ".", None), ("1.234", ",", None), ("12,34.5", ".", None), ("%", ".", None),
    ],
)  # fmt: skip
def test_thousands_are_parted_only_where_that_leaves_no_doubt(cell, decimal, value):
    assert number(cell, decimal=decimal) == (None if value is None else Decimal(value))


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=3))
def test_a_number_is_read_back_from_either_sign(value):
    assert number(f"{value:f}") == value
    assert number(f"{value:f}".replace(".", ","), decimal=",") == value


WELLS = [
    (0.5, 0.11),
    (1, 0.14),
    (2, 0.25),
    (4, 0.49),
    (8, 0.84),
    (16, 1.20),
    (32, 1.45),
    (64, 1.56),
]


@pytest.mark.parametrize(
    ("head", "sign", "point"),
    [
        ("Sample;Dose [ng/mL];OD 450", ";", ","),
        (
            "Plate 1,,\nInstrument: reader,,\n\nSample Name,Concentration ng/mL,Signal (RLU)",
            ",",
            ".",
        ),
        ("SAMPLE_ID\tfinal conc (µg/ml)\tAbsorbance", "\t", ","),
    ],
)
def test_wells_are_read_whatever_their_columns_are_called(tmp_path, head, sign, point):
    lines = [
        sign.join((name, *(str(one).replace(".", point) for one in well)))
        for name in ("Reference", "S1")
        for well in WELLS
    ]
    path = tmp_path / "wells.txt"
    path.write_text(head + "\n" + "\n".join(lines) + "\n")

    wells = read_wells(path, decimal=AUTO)

    assert wells.samples == ["Reference", "S1"]
    assert wells.response[:3].tolist() == [0.11, 0.14, 0.25]


GRID = "\t".join(str(n) for n in range(1, 13))
FIGURES = "\t".join(f"{n / 10}" for n in range(1, 13))
READERS = {
    "NucleoCounter": (
        "NucleoCounter NC-200\nDate;2026-03-01\nSample ID;Total (cells/ml);Live (cells/ml);Viability (%)\n"
        "T-1;1,52E6;1,40E6;92,1\n", "NucleoCounter", "viability", "92.1"),
    "Vi-CELL": (
        "Vi-CELL XR\nSample ID\tViability (%)\tTotal viable cells / ml (x 10^6)\nC-1\t97.3\t1.22\n",
        "Vi-CELL", "viable_cells", "1220000"),
    "LUNA": (
        "LUNA-FX7\nSample Name,Total Cell Conc.,Live Cell Conc.,Viability(%)\nS1,1.23E+06,1.10E+06,89.4\n",
        "LUNA", "viable_cells", "1.10E+6"),
    "BacT/ALERT": (
        "Bottle ID,Bottle Type,Result,Time to Detection (h)\nB1,iFA Plus,Positive,18.4\n",
        "bact-alert", "time_to_detection", "18.4"),
    "endotoxin cartridge": (
        "Sample Lot,Sample Value (EU/mL),Spike Recovery %\nL1,<0.05,104\n",
        "endotoxin-cartridge", "endotoxin", "0.05"),
    "QuantStudio": (
        "* Block Type = 96-Well\n\n[Results]\nWell,Well Position,Sample Name,Target Name,CT\n1,A1,S1,WPRE,24.13\n",
        "qpcr", "cq", "24.13"),
    "CFX": (";Well;Fluor;Target;Sample;Cq\n;A01;FAM;WPRE;S1;24,13\n", "qpcr", "cq", "24.13"),
    "QX": (
        "Well,Sample,Target,Concentration,Positives,Negatives,AcceptedDroplets\nA01,S1,WPRE,123.4,1900,15000,16900\n",
        "ddpcr", "positives", "1900"),
    "Tecan": ("Date:;01.03.2026\n<>;1;2;3;4\nA;0,081;0,092;1,2;1,3\nB;0,1;0,2;0,3;0,4\n", "plate-grid", "signal", "0.081"),
    "BMG": ("User: X\nWell Row;Well Col;Content;Raw Data (450)\nA;1;Standard S1;0,123\n", "plate-list", "signal", "0.123"),
    "SoftMax": (
        f"##BLOCKS= 1\nPlate:\tPlate1\n\tTemperature\t{GRID}\n\t23.4\t{FIGURES}\n" + f"\t\t{FIGURES}\n" * 7,
        "plate-grid", "signal", "0.1"),
    "EnVision": ("Results for RLU\n" + (FIGURES.replace("\t", ",") + ",\n") * 8 + "\nEnd\n", "plate-grid", "signal", "0.1"),
    "VICTOR": ("Plate,Repeat,Well,Type,Time,450nm (A)\n1,1,A01,M,00:00:01,0.123\n", "plate-list", "signal", "0.123"),
}  # fmt: skip


@pytest.mark.parametrize("maker", READERS)
def test_the_exports_of_common_instruments_are_read(tmp_path, maker):
    text, dialect, measure, value = READERS[maker]
    path = tmp_path / "export.csv"
    path.write_text(text, encoding="utf-8")

    found = read_reader_file(path)

    assert found.dialect == dialect
    assert next(one.value for one in found.readings if one.measure == measure) == Decimal(value)


def test_a_plate_without_letters_has_all_its_wells_in_order(tmp_path):
    path = tmp_path / "plate.txt"
    path.write_text(READERS["SoftMax"][0])

    signals = read_reader_file(path).signals()

    assert len(signals) == 96
    assert (signals["A1"], signals["H12"]) == (Decimal("0.1"), Decimal("1.2"))


@pytest.mark.parametrize(
    "data",
    [b"\x00" * 64, b"\xff\xfe\x00", b"a,b\n", b"\n\n\n", b"\x89PNG\r\n\x1a\n\0\0\0", b"PK\x03\x04x",
     b'"' * 200_000, b"batch,month,value\nA,1e999,2\n", "batch,month,value\nA,−3,2\n".encode()],
    ids=["zeros", "half a mark", "one line", "blank", "picture", "broken workbook", "quotes", "huge",
         "negative month"],
)  # fmt: skip
def test_what_is_no_study_is_refused_with_a_reason(tmp_path, data):
    path = tmp_path / "study.csv"
    path.write_bytes(data)

    with pytest.raises(Refused) as caught:
        read_study(path, decimal=AUTO)

    assert caught.value.problem.remedy


INSTRUMENTS = {
    "NucleoCounter, German": (
        "NucleoCounter NC-200;;;\nProbe;Viabilität (%);Lebende Zellen (Zellen/ml);"
        "Gesamtzellzahl (Zellen/ml)\nP1;93,2;1,25E+06;1,34E+06\n",
        "NucleoCounter",
        {"viability": "93.2", "viable_cells": "1.25E+6", "total_cells": "1.34E+6"},
    ),
    "NucleoCounter, French": (
        "NucleoCounter NC-200\nÉchantillon;Viabilité (%);Cellules viables (cellules/ml)\n"
        "P1;91,5;1,1E6\n",
        "NucleoCounter",
        {"viability": "91.5", "viable_cells": "1.1E+6"},
    ),
    "LUNA, German": (
        "LUNA-II\nProbenname;Totzellkonzentration (Zellen/ml);Lebensfähigkeit (%)\n"
        "P1;150000;88,5\n",
        "LUNA",
        {"dead_cells": "150000", "viability": "88.5"},
    ),
    "Vi-CELL XR: counts of the images beside concentrations": (
        "Vi-CELL XR 2.04\nSample ID\tViable cells\tTotal cells / ml (x10^6)\t"
        "Total viable cells / ml (x10^6)\tViability (%)\nP1\t1400\t2.31\t2.13\t92.1\n",
        "Vi-CELL",
        {"total_cells": "2.31E+6", "viable_cells": "2.13E+6", "viability": "92.1"},
    ),
    "BacT/ALERT, German": (
        "BacT/ALERT\nFlaschen-ID;Flaschentyp;Ergebnis;Zeit bis Detektion (Tagen)\n"
        "P1;iNST;Wachstum;1,5\n",
        "bact-alert",
        {"time_to_detection": "36"},
    ),
    "BacT/ALERT, French": (
        "BacT/ALERT\nID flacon;Résultat;Délai de détection (jours)\nP1;Positif;1,5\n",
        "bact-alert",
        {"time_to_detection": "36"},
    ),
    "endotoxin cartridge, German": (
        "Endosafe nexgen-PTS\nProben-ID;Probenwert (EU/ml);Spike-Wiederfindung (%)\nP1;0,12;98,5\n",
        "endotoxin-cartridge",
        {"endotoxin": "0.12", "spike_recovery": "98.5"},
    ),
}


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_an_instrument_is_known_in_the_language_of_its_user(tmp_path, name):
    text, dialect, values = INSTRUMENTS[name]
    path = tmp_path / "export.csv"
    path.write_text(text, encoding="utf-8")

    found = read_reader_file(path)

    assert found.dialect == dialect
    assert {r.sample for r in found.readings} == {"P1"}
    numbers = {r.measure: r.value for r in found.readings if r.value is not None}
    assert numbers == {measure: Decimal(value) for measure, value in values.items()}


@pytest.mark.parametrize(
    "unit",
    [
        "x10^6 cells/mL",
        "x10\u2076/mL",
        "1e6/mL",
        "10E6/ml",
        "1E+06 cells/mL",
        "Mio/ml",
        "million/mL",
    ],
)
def test_the_power_of_ten_in_a_heading_counts_however_it_is_written(tmp_path, unit):
    path = tmp_path / "count.csv"
    path.write_text(f"Sample ID,Total cells ({unit}),Viability (%)\nP1,1.25,91\n", encoding="utf-8")

    cells = [r.value for r in read_reader_file(path).readings if r.measure == "total_cells"]

    assert cells == [Decimal(1_250_000)]


def test_figures_that_cannot_be_and_rows_without_a_name_are_named(tmp_path):
    path = tmp_path / "nc.csv"
    path.write_text(
        "NucleoCounter;;\nSample ID;Total (cells/ml);Viability (%)\n"
        ";1,2E6;95,5\nX;-1,2E6;95,5\nY;1,2E6;195,5\nZ;1,2E6;95,5\n"
    )

    found = read_reader_file(path)

    assert [(row.line, row.reason) for row in found.rows if not row.is_accepted] == [
        (3, "no sample"),
        (4, "total_cells cannot be -1,2E6"),
        (5, "viability cannot be 195,5"),
    ]
    assert {r.sample for r in found.readings} == {"Z"}


def test_the_position_of_a_well_goes_before_its_number(tmp_path):
    """QuantStudio numbers its wells in the column Well and names them in Well Position."""
    path = tmp_path / "quantstudio.csv"
    path.write_text("Well,Well Position,Sample Name,CT\n1,A1,S1,22.3\n13,B1,S2,24.1\n")

    assert [r.well for r in read_reader_file(path).readings] == ["A1", "B1"]

"""The codecs: published vectors, mutations, hostile text."""

from datetime import date

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from stdnum.iso7064 import mod_37_2

from anlage.custody.codes import check_character, decode, epc, gs1, isbt128, tag

TODAY = date(2026, 3, 1)
CAPITALS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
FACILITY = st.from_regex(r"[A-NP-Z1-9][A-NP-Z0-9]{2}[0-9]{2}", fullmatch=True)
DONATION = st.builds("{}{:08d}".format, FACILITY, st.integers(0, 99_999_999))


@pytest.mark.parametrize(
    ("number", "checksum", "character"),
    [
        ("G123498654321", 17, "H"),  # UK JPAC Red Book annex 2
        ("G123417654321", 10, "A"),  # ST-001 appendix A
        ("A999921123456", 3, "3"),  # ST-001 figure 2
        ("A999818123456", 23, "N"),  # ST-001 7.5
        ("W000026123456", 36, "*"),
        ("CHA999923000001", 13, "D"),
    ],
)
def test_the_check_character_is_the_published_one(number, checksum, character):
    assert check_character.mod37_2(number) == checksum
    assert check_character.ALPHABET_37[checksum] == character


@settings(deadline=None)
@given(DONATION)
def test_the_check_character_agrees_with_another_implementation(number):
    ours = check_character.ALPHABET_37[check_character.mod37_2(number)]

    assert ours == mod_37_2.calc_check_digit(number)


@pytest.mark.parametrize(
    ("payload", "digit"),
    [
        ("950600013435", "2"),
        ("0950600013435", "2"),
        ("8061414112345", "8"),
        ("952110153000", "1"),
        ("10614141123456789", "7"),
        ("00123456000000001", "8"),
    ],
)
def test_the_check_digit_is_the_published_one(payload, digit):
    assert check_character.mod10(payload) == digit


def test_a_compound_message_is_taken_apart():
    reading = decode("=+04000=/A9997XYZ100T0479=A99991712345600=,000012=>019031", TODAY)

    assert reading.valid
    assert reading.fields["donation_number"] == "A999917123456"
    assert reading.fields["expiry"] == "2019-01-31"


def test_a_compound_message_with_a_wrong_count_is_refused():
    reading = decode("=+05000=/A9997XYZ100T0479=A99991712345600=,000012=>019031", TODAY)

    assert [problem.code for problem in reading.problems] == ["compound-count-wrong"]


@settings(deadline=None)
@given(DONATION, st.data())
def test_a_donation_number_with_one_character_changed_is_refused(number, data):
    code = isbt128.donation_identifier(number)
    place = data.draw(st.integers(1, 13))
    other = data.draw(st.sampled_from([c for c in CAPITALS if c != code[place]]))

    assert decode(code, TODAY).valid
    assert not decode(code[:place] + other + code[place + 1 :], TODAY).valid


@settings(deadline=None)
@given(DONATION, st.data())
def test_a_typed_donation_number_with_one_character_changed_is_refused(number, data):
    typed = number + check_character.ALPHABET_37[check_character.mod37_2(number)]
    assume(not typed.isdigit())  # fourteen digits alone are read as a GTIN
    place = data.draw(st.integers(0, 13))
    other = data.draw(st.sampled_from([c for c in CAPITALS if c != typed[place]]))

    changed = decode(typed[:place] + other + typed[place + 1 :], TODAY)

    assert decode(typed, TODAY).valid
    assert not (changed.valid and changed.kind == "isbt128-din")


def test_the_single_european_code_is_taken_apart():
    reading = decode("SEC: PL001499Z549917123456 A00T041600320171231", TODAY)

    assert reading.valid
    assert list(reading.fields.values()) == [
        "PL", "001499", "Z549917123456", "A", "00T0416", "003", "2017-12-31",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "SEC: XX001499Z549917123456 A00T041600320171231",
        "SEC: PL001499Z549917123456 C00T041600320171231",
        "SEC: PL001499Z549917123456 A00T041600320171331",
        "SEC: PL001499Z549917123456 A00T04160032017123",
    ],
)
def test_a_wrong_european_code_is_refused_with_every_part_of_the_message(text):
    reading = decode(text, TODAY)

    assert not reading.valid
    for problem in reading.problems:
        assert problem.what and problem.found and problem.limit and problem.remedy and problem.rule


def test_a_variable_value_ends_at_the_separator():
    reading = decode("]d201095060001343521726123110ABC\x1d21XYZ", TODAY)

    assert reading.valid
    assert (reading.fields["lot"], reading.fields["serial"]) == ("ABC", "XYZ")
    assert reading.fields["expiry"] == "2026-12-31"


@pytest.mark.req("U30")
def test_a_missing_separator_is_said():
    reading = decode("]d2010950600013435210ABCDEFGHIJ17261231210000000000", TODAY)

    assert "separator (FNC1) is missing" in (reading.problems[0].remedy or "")


@pytest.mark.req("U30")
def test_brackets_inside_a_scanned_symbol_are_a_misprint():
    assert decode("]d2(01)09506000134352", TODAY).problems[0].code == "gs1-brackets-in-symbol"
    assert decode("]d1(01)09506000134352", TODAY).problems[0].code == "gs1-not-marked"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("(01)09506000134353", "check-digit-wrong"),
        ("(01)09506000134352(17)261331", "gs1-value"),
        ("(01)09506000134352(17)26123", "gs1-length-wrong"),
        ("(01)09506000134352(37)12", "gs1-excluded"),
        ("(01)09506000134352(10)A(10)B", "gs1-repeated"),
        ("(10)ABC", "gs1-partner-missing"),
        ("(01)09506000134352(422)999", "gs1-value"),
        ("(01)09506000134352(10)A~B", "gs1-character-wrong"),
        ("(01)09506000134352(09)1", "gs1-character-wrong"),
        ("(8013)1987654Ad4X4bL5ttr2310c2J", "check-digit-wrong"),
    ],
)
def test_an_element_string_that_breaks_a_rule_is_refused(text, code):
    assert code in [problem.code for problem in decode(text, TODAY).problems] or code == (
        "gs1-character-wrong"
    )
    assert not decode(text, TODAY).valid


@settings(deadline=None)
@given(st.text("0123456789", min_size=13, max_size=13), st.data())
def test_an_item_number_with_one_digit_changed_is_refused(payload, data):
    code = "(01)" + payload + check_character.mod10(payload)
    place = data.draw(st.integers(4, 17))
    other = data.draw(st.sampled_from([c for c in "0123456789" if c != code[place]]))

    assert decode(code, TODAY).valid
    assert not decode(code[:place] + other + code[place + 1 :], TODAY).valid


def test_two_digit_years_fall_in_the_window_around_today():
    assert gs1.gs1_date("760131", TODAY) == date(2076, 1, 31)
    assert gs1.gs1_date("770131", TODAY) == date(1977, 1, 31)
    assert gs1.gs1_date("260200", TODAY) == date(2026, 2, 28)
    assert gs1.gs1_date("261300", TODAY) is None


def test_the_element_strings_agree_with_biip():
    import biip

    for text in (
        "010950600013435217261231\x1d10ABC",
        "00106141411234567897",
        "8003009506000134352X",
    ):
        ours = decode("]d2" + text, TODAY)
        theirs = biip.parse("]d2" + text).gs1_message
        if theirs is not None and ours.valid:
            assert [e.code.strip("()") for e in ours.elements] == [
                e.ai.ai for e in theirs.element_strings
            ]


def test_a_tag_is_read_to_its_identifier():
    reading = decode("3074257BF7194E4000001A85", TODAY)

    assert reading.fields["epc"] == "urn:epc:id:sgtin:0614141.812345.6789"
    assert reading.fields["gtin"] == "80614141123458"
    assert reading.fields["filter"] == "3"


# GS1 EPC Tag Data Standard 1.13, annex E.3 (summary of examples of encodings).
@pytest.mark.parametrize(
    ("urn", "memory"),
    [
        ("sgtin:0614141.812345.6789", "3074257BF7194E4000001A85"),
        ("sgtin:0614141.712345.32a%2Fb", "3674257BF6B7A659B2C2BF1" + 29 * "0"),
        ("sscc:0614141.1234567890", "3174257BF4499602D2000000"),
        ("sgln:0614141.12345.400", "3274257BF460720000000190"),
        ("grai:0614141.12345.400", "3374257BF40C0E4000000190"),
        ("grai:0614141.12345.32a%2Fb", "3774257BF40C0E59B2C2BF1" + 21 * "0"),
        ("giai:0614141.5678", "3474257BF40000000000162E"),
        ("giai:0614141.32a%2Fb", "3874257BF59B2C2BF1" + 34 * "0"),
        ("gsrn:0614141.1234567890", "2D74257BF4499602D2000000"),
        ("gdti:0614141.12345.400", "2C74257BF460720000000190"),
    ],
)
def test_the_published_encodings_of_tags_are_written_and_read(urn, memory):
    assert tag.encode(f"urn:epc:id:{urn}", level=3) == memory
    assert decode(memory, TODAY).fields["epc"] == f"urn:epc:id:{urn}"


def test_what_fits_no_tag_has_no_memory():
    assert tag.encode("urn:epc:class:lgtin:0614141.812345.L1") is None
    assert tag.encode("urn:epc:id:sgtin:0614141.1.1") is None


@settings(deadline=None)
@given(
    st.sampled_from([("01", 14), ("00", 18), ("414", 13), ("8018", 18), ("417", 13)]),
    st.integers(6, 12),
    st.data(),
)
def test_a_key_goes_to_its_urn_and_back(kind, prefix_length, data):
    number, length = kind
    payload = data.draw(st.text("0123456789", min_size=length - 1, max_size=length - 1))
    key = payload + check_character.mod10(payload)

    urn = epc.from_key(number, key, "S1" if number == "01" else None, prefix_length)
    parsed = epc.parse(urn)

    assert isinstance(parsed, epc.Epc)
    assert parsed.key[0] == (number, key)


def test_a_digital_link_keeps_its_qualifiers_in_order():
    assert decode("https://id.gs1.org/01/09506000134352/10/A/21/1?17=261231", TODAY).valid
    assert not decode("https://id.gs1.org/01/09506000134352/21/1/10/A", TODAY).valid
    assert not decode("https://id.gs1.org/01/09506000134353", TODAY).valid
    assert not decode("https://example.com/hello", TODAY).valid


@settings(deadline=None)
@given(st.text(max_size=80))
def test_no_text_is_a_surprise(text):
    reading = decode(text, TODAY)

    assert reading.valid or all(problem.remedy for problem in reading.problems)


@settings(deadline=None)
@given(
    st.from_regex(r"(=|&|SEC:|\]d2|\(01\)|urn:epc:id:|https://a/01/|30)[ -~]{0,40}", fullmatch=True)
)
def test_no_damaged_code_is_a_surprise(text):
    reading = decode(text, TODAY)

    assert reading.kind and (reading.valid or reading.problems)


def test_a_date_of_birth_has_its_location_before_it():
    """ICCBBA ST-001 v6.2.2, 2.4.24: `=#aayyyymmdd`."""
    reading = decode("=#0119700314", TODAY)
    assert reading.valid
    assert reading.fields["patient_birth"] == "1970-03-14"
    for wrong in ("=#19700314", "=#0119701314", "=#A119700314"):
        assert not decode(wrong, TODAY).valid


def test_a_blood_group_has_four_characters():
    """ICCBBA ST-001 v6.2.2, 2.4.2: `=%ggre`."""
    assert decode("=%5100", TODAY).valid
    assert not decode("=%510", TODAY).valid

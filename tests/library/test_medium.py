"""Labels of media: the rules decide, with reasons; what is not stated is never assumed."""

import pytest

from anlage.base import Refused
from anlage.library import Ingredient, Matter, RuleSet, Source, Word, media_labels, starter


def an_ingredient(name, source=None, matter=None, *, host=None, defined=None, traced=True, of=()):
    return Ingredient(
        name=name,
        source=source and Source(source),
        host=host and Source(host),
        matter=matter and Matter(matter),
        is_defined=defined,
        is_traced=traced,
        made_with=tuple(of),
    )


BASAL = an_ingredient("basal", "synthetic", "small-molecule", defined=True)
SERUM = an_ingredient("human AB serum", "human", "serum", defined=False)
LYSATE = an_ingredient("platelet lysate", "human", "lysate", defined=False)
ALBUMIN = an_ingredient("albumin from plasma", "human", "protein", defined=False)
RICE = an_ingredient("albumin from rice", "recombinant", "protein", host="plant", defined=True)
YEAST = an_ingredient("insulin", "recombinant", "protein", host="microbial", defined=True)
BOVINE = an_ingredient("bovine transferrin", "animal", "protein", defined=True)
SOY = an_ingredient("soy hydrolysate", "plant", "hydrolysate", defined=False)
CHO = an_ingredient("factor from CHO", "recombinant", "protein", host="animal", defined=True)
TRYPSIN = an_ingredient("porcine trypsin", "animal", "protein", defined=True)
EGF = an_ingredient("EGF", "recombinant", "protein", host="microbial", defined=True, of=[TRYPSIN])
ACF1, ACF2, ACF3 = (f"animal-component-free-{level}" for level in (1, 2, 3))


def words(*ingredients):
    return {one.label: one.word.value for one in media_labels().classify([BASAL, *ingredients])}


# The vectors of the facts this project keeps on media definitions, one row each.
@pytest.mark.req("B01")
@pytest.mark.parametrize(
    ("ingredients", "expected"),
    [
        ([SERUM], {"xeno-free": "yes", "serum-free": "no", "chemically-defined": "no"}),
        ([LYSATE], {"serum-free": "disputed", "xeno-free": "yes", "chemically-defined": "no"}),
        (
            [ALBUMIN],
            {"serum-free": "yes", "xeno-free": "yes", ACF1: "no", "chemically-defined": "no"},
        ),
        (
            [RICE, YEAST],
            {
                "serum-free": "yes",
                "protein-free": "no",
                "xeno-free": "yes",
                ACF1: "yes",
                ACF2: "yes",
                ACF3: "yes",
                "chemically-defined": "yes",
            },
        ),
        ([BOVINE], {"xeno-free": "no", ACF1: "no"}),
        ([SOY], {ACF1: "yes", "xeno-free": "yes", "chemically-defined": "no"}),
        ([EGF], {ACF1: "yes", ACF2: "no", ACF3: "no", "xeno-free": "yes"}),
        ([CHO], {ACF1: "no", "xeno-free": "disputed"}),
        ([], {"protein-free": "yes", ACF3: "yes", "chemically-defined": "yes"}),
    ],
)
def test_labels_follow_from_the_composition(ingredients, expected):
    found = words(*ingredients)

    assert {label: found[label] for label in expected} == expected


def test_purified_and_quantified_albumin_is_chemically_defined():
    purified = an_ingredient("albumin", "human", "protein", defined=True)

    assert words(purified)["chemically-defined"] == "yes"


def test_what_is_not_stated_is_unknown_and_not_yes():
    assert set(words(an_ingredient("supplement")).values()) == {"unknown"}
    assert words(an_ingredient("EGF", "recombinant", "protein"))[ACF1] == "unknown"


def test_a_making_that_is_not_traced_leaves_the_deeper_levels_open():
    untraced = an_ingredient(
        "insulin", "recombinant", "protein", host="microbial", defined=True, traced=False
    )

    found = words(untraced)
    assert (found[ACF1], found[ACF2]) == ("yes", "unknown")


def test_a_plain_no_is_stronger_than_what_is_unknown():
    assert words(SERUM, an_ingredient("supplement"))["serum-free"] == "no"


def test_a_verdict_names_ingredient_reason_and_edition():
    verdict = next(one for one in media_labels().classify([SERUM]) if one.label == "serum-free")

    assert verdict.word is Word.NO
    assert "human AB serum" in verdict.reasons[0]
    assert "edition 1 of 2026-03-01" in verdict.rule_set


def test_nothing_at_all_proves_nothing():
    with pytest.raises(Refused):
        media_labels().classify([])


def test_a_claim_that_the_composition_does_not_bear_out_is_named():
    problems = media_labels().judge_claims(["serum-free", "vegan"], [SERUM])

    assert [one.code for one in problems] == ["claim-contradicted", "claim-unknown"]


def test_a_site_may_write_its_own_rules():
    strict = RuleSet.read(
        {
            "kind": "vocabulary",
            "id": "strict",
            "title": "Strict",
            "basis": "own",
            "edition": "2",
            "dated": "2026-04-01",
            "labels": [
                {
                    "label": "serum-free",
                    "title": "No serum, plasma or lysate",
                    "refuses": [{"matters": ["serum", "plasma", "lysate"], "reason": "blood"}],
                }
            ],
        }
    )

    assert strict.classify([LYSATE])[0].word is Word.NO


@pytest.mark.parametrize("id", ["t-cell-medium", "ipsc-medium"])
def test_the_starter_media_bear_out_what_they_claim(id):
    medium = starter("material-class", id).defined

    assert medium.claims
    assert not media_labels().judge_claims(medium.claims, medium.composition)

"""Names as people write them."""

import pytest

from anlage.web.tags import words


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("t-cell-medium", "T cell medium"),
        ("cd3-purity", "CD3 purity"),
        ("cd45ra-positive", "CD45RA positive"),
        ("qc-analyst", "QC analyst"),
        ("release of qa", "Release of QA"),
        ("cdna-yield", "Cdna yield"),
        ("the file calls the sample T-1", "The file calls the sample T-1"),
        ("", ""),
    ],
)
def test_a_name_reads_as_the_trade_writes_it(name, written):
    assert words(name) == written

"""The tables that promise something are printed from what the tests are parametrised by."""

import re

import pytest

from tests.architecture import checkout
from tests.tables import outages, paying, printing

PROOFS = {
    *(row.proof for row in paying.ROWS if row.proof),
    *(cell.proof for row in outages.ROWS for cell in (row.valkey, row.postgres)),
}


def test_pages_say_what_the_tables_say():
    assert printing.outdated() == [], "run python -m tests.tables"


def test_every_table_stands_in_one_page():
    assert sorted(printing.places()) == sorted(printing.TABLES)


@pytest.mark.parametrize("row", paying.ROWS, ids=lambda row: row.how)
def test_every_line_of_who_pays_is_proved(row):
    assert row.cases or row.proof


@pytest.mark.parametrize("proof", sorted(PROOFS))
def test_every_proof_that_a_table_names_is_a_test(proof):
    definition = re.compile(rf"^(?:async )?def {proof}\(", re.MULTILINE)
    tests = [path for path in checkout.files() if path.suffix == ".py" and path.name.startswith("test_")]
    assert any(definition.search(path.read_text(encoding="utf-8")) for path in tests)

"""Who pays: the table of the documentation (tests/tables/paying.py), line by line."""

import pytest

from inference.gateway.charging import Ending, consumption
from tests.tables.paying import FINAL, ROWS

CASES = [pytest.param(row.outcome, case, id=row.how) for row in ROWS for case in row.cases]


@pytest.mark.parametrize(("outcome", "case"), CASES)
def test_who_pays_is_as_published(outcome, case):
    used = consumption(case.ending, case.usage, final=case.final, outputs=case.outputs, likely_prompt=9)
    assert (used.outcome, used.source, used.billable) == (outcome, case.source, case.billable)


def test_the_tokens_are_the_engines():
    used = consumption(Ending.COMPLETE, FINAL, final=True, outputs=99, likely_prompt=9)
    assert (used.tokens.prompt, used.tokens.cached, used.tokens.completion) == (12, 4, 5)


def test_without_the_engines_usage_our_own_count_stands():
    used = consumption(Ending.COMPLETE, None, final=False, outputs=7, likely_prompt=9)
    assert (used.tokens.prompt, used.tokens.completion) == (9, 7)


def test_cached_tokens_are_never_more_than_the_prompt():
    usage = {"prompt_tokens": 3, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 50}}
    assert consumption(Ending.COMPLETE, usage, final=True, outputs=1, likely_prompt=1).tokens.cached == 3

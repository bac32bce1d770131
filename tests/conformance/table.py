"""All cases, in the order of the report."""

from tests.conformance import dialects, generating, pooling, refusals, tending

CASES = [*tending.CASES, *generating.CASES, *dialects.CASES, *pooling.CASES, *refusals.CASES]

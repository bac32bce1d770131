"""Never more than the wallet: 500 calls at once, three processes, credit for exactly ten worst cases."""

from foundation.money import usd
from tests.faults import witnesses
from tests.faults.books import Books

AT_ONCE = 500


def test_a_wallet_for_ten_worst_cases_runs_ten_and_refuses_the_rest_with_402(installation, fleet, crowd):
    worst = worst_case(installation, crowd)
    acme = installation.organization(credit=str(usd(10 * worst)))
    books = Books(installation, acme)
    calls = [ask(crowd, fleet[number % 3], acme, stream=number % 6 < 3) for number in range(AT_ONCE)]
    least = books.posted
    while not all(call.over.is_set() for call in calls):
        least = min(least, books.free)
    assert least >= 0
    answered = [call for call in calls if call.status == 200]
    refused = [call for call in calls if call.status != 200]
    assert {(call.status, call.code) for call in refused} == {(402, "insufficient_credit")}
    assert all(call.finished for call in answered)
    assert 9 <= witnesses.most_at_once(witnesses.of(installation, ids(answered)).values()) <= 10
    records = books.closed()
    assert records.keys() == ids(answered)
    assert {(record["outcome"], record["hold_nusd"]) for record in records.values()} == {("complete", worst)}


def ask(crowd, server, tenant, *, stream: bool):
    # The size of the body is part of the worst case: what `true` is shorter than `false`, the name is longer.
    user = "ada" if stream else "al"
    text = "hi [[sim ttft=1500 gap=1 tokens=20]]"
    return crowd.call(server.port, tenant.api_key, text, max_tokens=1000, stream=stream, user=user)


def worst_case(installation, crowd) -> int:
    """Return what one such call holds, in nano-dollars."""
    globex = installation.organization(name="Globex")
    crowd.wait([ask(crowd, installation.server, globex, stream=True)])
    (record,) = Books(installation, globex).closed().values()
    return record["hold_nusd"]


def ids(calls) -> set[str]:
    return {call.request_id for call in calls}

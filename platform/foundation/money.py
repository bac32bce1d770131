"""Money in whole nano-dollars (1 USD = 10⁹): exact integers everywhere, one rounding per request, no float at all.

Prices are decimals in USD per million units (tokens), which makes their rates whole nano-dollars per million. A
charge multiplies and adds exactly and rounds half up once, so splitting a request's tokens by kind cannot move a cent.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import accumulate, pairwise

NANO = 1_000_000_000
"""Nano-dollars in a dollar."""
PER_MILLION = 1_000_000
"""Units that a rate is for."""
LARGEST = 2**63 - 1
"""The most nano-dollars that a database column holds: 9.2 billion dollars."""


def nano(usd: Decimal | str | int) -> int:
    """Return dollars as nano-dollars, exactly.

    ValueError when the amount is a float, no finite number, finer than a nano-dollar, or beyond a 64-bit column.
    """
    if isinstance(usd, bool) or not isinstance(usd, Decimal | str | int):
        raise ValueError(f"an amount of money is a Decimal, a string or an integer, not {type(usd).__name__}")
    amount = _decimal(usd)
    if not amount:
        return 0
    # Looked at before any arithmetic: 1e999999 would otherwise become an integer of a million digits.
    if amount.adjusted() < -9:
        raise ValueError("an amount of money is a whole number of nano-dollars")
    if amount.adjusted() > 10:
        raise ValueError("an amount of money fits into 64 bits of nano-dollars")
    return _whole(amount)


def usd(nano: int) -> Decimal:
    """Return nano-dollars as dollars, exactly, with nine places."""
    # From text, because arithmetic on decimals rounds to the precision of the thread's context.
    return Decimal(f"{nano}e-9")


def display(nano: int) -> str:
    """Return an amount for people: `$9.99`, `-$1,234.50`; below one dollar three significant digits: `$0.000123`."""
    size = abs(nano)
    places = 2 if size >= NANO else max(2, min(9, 12 - len(str(size))))
    dollars, fraction = divmod(_half_up(size, 10 ** (9 - places)), 10**places)
    digits = f"{fraction:0{places}d}"
    cents = digits[:2] + digits[2:].rstrip("0")
    return f"{'-' if nano < 0 else ''}${dollars:,}.{cents}"


def charge(quantities: Mapping[str, int], rates: Mapping[str, int]) -> int:
    """Return the price in nano-dollars of quantities by kind, at rates in nano-dollars per million units by kind.

    The products are added exactly and the sum is rounded once, half up. ValueError for a negative number, for a
    number that is no integer, and for a quantity above zero of a kind without a rate: nothing is free by omission.
    """
    total = 0
    for kind, quantity in quantities.items():
        if quantity == 0:
            continue
        rate = rates.get(kind)
        if rate is None:
            raise ValueError(f"no rate for {kind}")
        if type(quantity) is not int or type(rate) is not int or quantity < 0 or rate < 0:
            raise ValueError(f"quantity and rate of {kind} are integers from zero up")
        total += quantity * rate
    return _half_up(total, PER_MILLION)


def split(total: int, weights: Sequence[int]) -> list[int]:
    """Split an amount by weights; the parts add up to the whole, and each is within one of its exact share.

    ValueError for a negative weight, and when there is something to split but no weight above zero.
    """
    if any(weight < 0 for weight in weights):
        raise ValueError("a weight is not negative")
    sums = [0, *accumulate(weights)]
    whole = sums[-1]
    if whole == 0:
        if total:
            raise ValueError("an amount needs a weight above zero to be split by")
        return [0] * len(weights)
    # Differences of running totals telescope: whatever each floor drops, the next part picks up.
    marks = [abs(total) * part // whole for part in sums]
    sign = -1 if total < 0 else 1
    return [sign * (upper - lower) for lower, upper in pairwise(marks)]


def _decimal(usd: Decimal | str | int) -> Decimal:
    try:
        amount = Decimal(usd)
    except InvalidOperation as cause:
        raise ValueError("an amount of money is a number") from cause
    if not amount.is_finite():
        raise ValueError("an amount of money is finite")
    return amount


def _whole(amount: Decimal) -> int:
    numerator, denominator = amount.as_integer_ratio()
    nanos, rest = divmod(numerator * NANO, denominator)
    if rest:
        raise ValueError("an amount of money is a whole number of nano-dollars")
    if abs(nanos) > LARGEST:
        raise ValueError("an amount of money fits into 64 bits of nano-dollars")
    return nanos


def _half_up(total: int, unit: int) -> int:
    return (2 * total + unit) // (2 * unit)

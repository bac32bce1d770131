"""The tables of money. Nothing here has behaviour: the SQL functions and the domain modules do."""

from billing.models.corrections import Correction
from billing.models.ledger import LedgerEntry, LedgerTransaction
from billing.models.notices import BudgetNotice
from billing.models.prices import Price, PriceComponent
from billing.models.purses import Hold, Purse
from billing.models.usage import UsageRecord

__all__ = [
    "BudgetNotice",
    "Correction",
    "Hold",
    "LedgerEntry",
    "LedgerTransaction",
    "Price",
    "PriceComponent",
    "Purse",
    "UsageRecord",
]

"""Money: purses, holds, the double-entry ledger, prices, the usage sub-ledger and their reconciliation.

May import: tenants, foundation. Never keys or inference: amounts and ids come in, decisions go out.
Invariant: every change of a purse happens inside one of the SQL functions of `migrations/sql/`.
Start with `holds.py` (can they pay?), then `settlement.py` (charge once), then `reconciliation.py` (prove it).
"""

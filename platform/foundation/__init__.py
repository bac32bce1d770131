"""The floor: errors, money, ids, clock, jobs, batching, stores, web, logs and metrics, shared by everything above.

Owns no table and no rule of the business, and knows no app: each file is one noun that stands alone.
May import: the standard library and third-party libraries only; never tenants, keys, billing, inference or config.
Start with `errors.py` (how things fail) and `money.py` (how amounts are counted), then `batching.py` (why it is fast).
"""

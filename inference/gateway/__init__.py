"""The hot path: an OpenAI-compatible request is admitted, held for, routed, relayed, counted and settled.

The core imports no Django, Celery or DRF. It may import keys.verification, billing.holds, billing.settlement,
billing.rates and foundation.
Start with `endpoints.py`, the story; `app.py` is the door in front of it.
"""

"""The tables of keys: plans, the limits of a scope, and API keys."""

from keys.models.api_keys import ApiKey
from keys.models.limits import LimitFields, Plan, ScopeLimits

__all__ = ["ApiKey", "LimitFields", "Plan", "ScopeLimits"]

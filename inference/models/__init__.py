"""The catalogue, the fleet, and usage in hours and days."""

from inference.models.catalogue import Model
from inference.models.fleet import Deployment, Pool, Replica
from inference.models.idempotency import IdempotencyClaim
from inference.models.rollups import UsageDay, UsageHour

__all__ = ["Deployment", "IdempotencyClaim", "Model", "Pool", "Replica", "UsageDay", "UsageHour"]

"""Models, pools and the gateway: what can be called, where it runs, and the hot path in between.

Owns the catalogue, the fleet, usage in hours and days, the gateway and the engine simulator.
May import: keys, billing, tenants, foundation. `gateway/` imports no Django.
Start with `gateway/endpoints.py`, the story of a request.
"""

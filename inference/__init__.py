"""MODELS, POOLS, THE GATEWAY: what is served, by which engines, and every request on its way through.

Owns the catalogue of models, the fleet of pools and replicas, usage rolled up, the gateway (its core imports no Django)
and the simulator (a vLLM-shaped engine that imports nothing of the platform). May import keys, billing, tenants and
foundation. Start with models/, then gateway/ in the order of docs/tour.md; simulator/directives.py for faults.
"""

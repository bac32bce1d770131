"""What the management API's resources share above foundation/rest/: who asks (principals), in which organisation and
with which right (resources), and that a repeated request does its work once (idempotency).

It stands here, and not in config, because each app's `api.py` builds on it and imports point down. How a key proves who
asks is beyond this app: keys/bearer.py does it, and settings.REST_FRAMEWORK names it.
"""

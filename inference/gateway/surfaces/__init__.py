"""The endpoints of `/v1` that models serve, one file each: what may be asked, and how answers and errors are written.

Owns the words that clients use. Knows nothing of engines (`inference.gateway.engines` does). Start at `surface.py`.
"""

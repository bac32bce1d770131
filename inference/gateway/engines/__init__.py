"""The engines behind `/v1`, one file each: what is sent to them, and what their answers mean.

`wire.py` is the one protocol between them and the relay; `kinds.py` lists them. Knows nothing of clients' dialects but
how to put them to an engine.
"""

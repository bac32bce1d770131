"""One dialect put into the words of another: pure functions, one file for each direction, golden-tested.

Everything goes by way of OpenAI's chat completions, so that n dialects and m engines need n + m translations.
`engines/bridge.py` puts them between a client and an engine. Knows no money, no limits, no engine.
"""

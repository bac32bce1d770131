"""A prefix cache of prompt blocks, as vLLM keeps one: a block hits only if every block before it does."""

from collections import OrderedDict

BLOCK_TOKENS = 16
BYTES_PER_TOKEN = 4
_BLOCK_BYTES = BLOCK_TOKENS * BYTES_PER_TOKEN


class PrefixCache:
    """Remembers the blocks it has seen, the least recently used of them is forgotten first."""

    def __init__(self, blocks: int = 16_384) -> None:
        self.blocks = blocks
        self.queries = 0
        self.hits = 0
        self._known: OrderedDict[int, None] = OrderedDict()

    def look_up(self, prompt: bytes, tokens: int, salt: str = "") -> int:
        """How many of the prompt's `tokens` are cached; from now on its full blocks are.

        The last token is never served from the cache, because the engine needs it to compute the next one.
        """
        chain = self._chain(prompt, salt)
        hits = next((count for count, block in enumerate(chain) if block not in self._known), len(chain))
        self._remember(chain)
        cached = min(hits * BLOCK_TOKENS, tokens - 1)
        self.queries += tokens
        self.hits += cached
        return cached

    @staticmethod
    def _chain(prompt: bytes, salt: str) -> list[int]:
        chain: list[int] = []
        link = hash(salt)
        for start in range(0, len(prompt) - _BLOCK_BYTES + 1, _BLOCK_BYTES):
            link = hash((link, prompt[start : start + _BLOCK_BYTES]))
            chain.append(link)
        return chain

    def _remember(self, chain: list[int]) -> None:
        for block in chain:
            self._known[block] = None
            self._known.move_to_end(block)
        while len(self._known) > self.blocks:
            self._known.popitem(last=False)

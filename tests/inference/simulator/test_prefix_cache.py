from inference.simulator.prefix_cache import BLOCK_TOKENS, PrefixCache

BLOCK = BLOCK_TOKENS * 4


def test_a_new_prompt_hits_nothing_and_the_same_again_hits_its_full_blocks():
    cache, prompt = PrefixCache(), b"a" * (2 * BLOCK + 5)
    assert cache.look_up(prompt, 40) == 0
    assert cache.look_up(prompt, 40) == 2 * BLOCK_TOKENS


def test_a_shared_beginning_hits_up_to_the_first_difference():
    cache = PrefixCache()
    cache.look_up(b"a" * BLOCK + b"b" * BLOCK, 40)
    assert cache.look_up(b"a" * BLOCK + b"c" * BLOCK, 40) == BLOCK_TOKENS


def test_the_same_block_at_another_place_does_not_hit():
    cache = PrefixCache()
    cache.look_up(b"a" * BLOCK + b"b" * BLOCK, 40)
    assert cache.look_up(b"b" * BLOCK, 20) == 0


def test_the_last_token_is_never_cached():
    cache = PrefixCache()
    cache.look_up(b"a" * BLOCK, BLOCK_TOKENS)
    assert cache.look_up(b"a" * BLOCK, BLOCK_TOKENS) == BLOCK_TOKENS - 1


def test_a_salt_keeps_callers_apart():
    cache = PrefixCache()
    cache.look_up(b"a" * BLOCK, 20, salt="acme")
    assert cache.look_up(b"a" * BLOCK, 20, salt="globex") == 0


def test_the_least_recently_used_block_is_forgotten_first():
    cache = PrefixCache(blocks=2)
    for letter in (b"a", b"b", b"a", b"c"):
        cache.look_up(letter * BLOCK, 20)
    assert cache.look_up(b"a" * BLOCK, 20) == BLOCK_TOKENS
    assert cache.look_up(b"b" * BLOCK, 20) == 0


def test_queries_and_hits_are_counted_in_tokens():
    cache = PrefixCache()
    cache.look_up(b"a" * BLOCK, 20)
    cache.look_up(b"a" * BLOCK, 20)
    assert (cache.queries, cache.hits) == (40, BLOCK_TOKENS)


def test_an_answer_tells_how_much_of_its_prompt_was_cached(sim):
    text = "[[sim tokens=1 ttft=0 gap=0]] " + "A long system prompt that many share. " * 10
    first, second = sim.ask(text).json["usage"], sim.ask(text).json["usage"]
    assert first["prompt_tokens_details"]["cached_tokens"] == 0
    assert 0 < second["prompt_tokens_details"]["cached_tokens"] < second["prompt_tokens"]

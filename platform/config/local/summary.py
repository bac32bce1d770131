"""What a start says when everything runs."""

from collections.abc import Mapping

from config.local.places import Places


def summary(places: Places, demo: Mapping[str, str], *, model: str | None, seconds: float) -> str:
    """Return where everything is, with a first call to try."""
    base = demo["OPENAI_BASE_URL"]
    lines = [
        "",
        f"Turnpike is ready after {seconds:.1f} s: {base.removesuffix('/v1')}",
        "",
        f"  Console    {base.removesuffix('/v1')}/app/    {demo['DEMO_EMAIL']}  {demo['DEMO_PASSWORD']}",
        f"  Operators  {base.removesuffix('/v1')}/admin/  {demo['ADMIN_EMAIL']}  {demo['ADMIN_PASSWORD']}",
        f"  API key    {demo['OPENAI_API_KEY']}",
        f"  All of it  {places.demo}",
        f"  Logs       {places.logs}",
    ]
    if model:
        lines += ["", _first_call(base, demo["OPENAI_API_KEY"], model)]
    return "\n".join([*lines, "", "Ctrl-C stops everything."])


def _first_call(base: str, key: str, model: str) -> str:
    question = f'{{"model": "{model}", "messages": [{{"role": "user", "content": "What is the capital of France?"}}]}}'
    return (
        f"curl -N {base}/chat/completions -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json'"
        f" -d '{question}'"
    )

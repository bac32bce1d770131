"""The documentation says which SDKs were tried: those that are installed."""

import json
from importlib.metadata import version

from tests.docs import pages
from tests.sdks import node


def test_the_table_of_sdks_names_the_versions_that_are_tried():
    javascript = json.loads((node.HERE / "package.json").read_text(encoding="utf-8"))["dependencies"]
    tried = [f"`{name}` {version(name)}" for name in ("openai", "anthropic")]
    tried += [f"`{name}` {javascript[name]}" for name in ("openai", "@anthropic-ai/sdk")]
    page = pages.page("compatibility.md")
    assert not [one for one in tried if f"{one} (" not in page]

"""Messages as the text that a model was trained to continue, for engines that know no messages.

An operator names a template, or gives the model's own in Jinja as Hugging Face's tokenizers have it. It runs in Jinja's
sandbox, with nothing but the messages. None writes the token a text begins with: the engines' tokenizers do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple, NoReturn

from jinja2 import Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from foundation.errors import InvalidRequest
from inference.gateway.engines.parameters import cannot
from inference.gateway.errors import UpstreamError

type Message = Mapping[str, Any]


class Named(NamedTuple):
    """A template everybody knows, and the texts with which a model of its family ends its turn."""

    source: str
    ends: tuple[str, ...]


# Models without a role for the system are told its words at the beginning of the next user's turn.
_BEFORE_THE_USER: Final = """\
{%- set system = namespace(words='') -%}
{%- for message in messages -%}
{%- if message.role == 'system' -%}
{%- set system.words = system.words + message.content + '\\n\\n' -%}
{%- elif message.role == 'user' -%}
{{ USER }}
{%- set system.words = '' -%}
{%- else -%}
{{ ASSISTANT }}
{%- endif -%}
{%- endfor -%}
"""


def _turns(user: str, assistant: str, end: str = "") -> str:
    return _BEFORE_THE_USER.replace("{{ USER }}", user).replace("{{ ASSISTANT }}", assistant) + end


NAMED: Final[Mapping[str, Named]] = MappingProxyType(
    {
        "chatml": Named(
            "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' }}"
            "{{ message.content + '<|im_end|>\\n' }}{% endfor %}{{ '<|im_start|>assistant\\n' }}",
            ("<|im_end|>",),
        ),
        "llama3": Named(
            "{% for message in messages %}{{ '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' }}"
            "{{ message.content + '<|eot_id|>' }}{% endfor %}"
            "{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}",
            ("<|eot_id|>",),
        ),
        "mistral": Named(
            _turns(
                "{{ '[INST] ' + system.words + message.content + ' [/INST]' }}", "{{ ' ' + message.content + '</s>' }}"
            ),
            ("</s>",),
        ),
        "gemma": Named(
            _turns(
                "{{ '<start_of_turn>user\\n' + system.words + message.content + '<end_of_turn>\\n' }}",
                "{{ '<start_of_turn>model\\n' + message.content + '<end_of_turn>\\n' }}",
                "{{ '<start_of_turn>model\\n' }}",
            ),
            ("<end_of_turn>",),
        ),
    }
)


class _Refused(TemplateError):
    """A template's own word: these messages make no conversation."""


def _refuse(message: str) -> NoReturn:
    raise _Refused(message)


_ENVIRONMENT: Final = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, autoescape=False)
_ENVIRONMENT.globals["raise_exception"] = _refuse


def check_template(value: str) -> None:
    """Raise ValueError, with a text for people, for what is neither a known name nor a template."""
    if value in NAMED:
        return
    if "{{" not in value and "{%" not in value:
        raise ValueError(f"There is no template of this name. Known are {', '.join(NAMED)}; or give one in Jinja.")
    try:
        _compiled(value)
    except TemplateError as error:
        raise ValueError(f"The template cannot be read: {error}") from error


def prompt(template: str, messages: Sequence[Message]) -> str:
    """Write messages as a text. Raises `InvalidRequest` for messages that a template has no place for."""
    named = NAMED.get(template)
    told = [_plain(message, f"messages[{at}]") for at, message in enumerate(messages)]
    try:
        return _compiled(named.source if named else template).render(
            messages=told, add_generation_prompt=True, bos_token="", eos_token="", tools=None
        )
    except _Refused as cause:
        raise InvalidRequest("The model's chat template has no place for these messages.", param="messages") from cause
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as cause:
        raise UpstreamError from cause


def ends(template: str) -> tuple[str, ...]:
    """Return the texts that end a turn; for a model's own template the engine must know them."""
    return NAMED[template].ends if template in NAMED else ()


@lru_cache(maxsize=256)
def _compiled(source: str) -> Template:
    return _ENVIRONMENT.from_string(source)


def _plain(message: Message, where: str) -> dict[str, str]:
    """Return a message as a role and a text. Raises `InvalidRequest` for what is more than that."""
    role = "system" if message["role"] == "developer" else message["role"]
    if role not in ("system", "user", "assistant") or message.get("tool_calls"):
        raise cannot(f"{where}.tool_calls" if message.get("tool_calls") else f"{where}.role {role}")
    content = message.get("content")
    if not isinstance(content, list):
        return {"role": role, "content": content or ""}
    if any(part["type"] != "text" for part in content):
        raise cannot(f"{where}.content other than text")
    return {"role": role, "content": "".join(part["text"] for part in content)}

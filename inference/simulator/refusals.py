"""The simulator's refusals, as vLLM words them."""


class Refused(Exception):
    """A request that gets an error instead of an answer."""

    def __init__(self, status: int, message: str, *, kind: str = "BadRequestError", param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.param = param

    @property
    def early(self) -> bool:
        """Whether no endpoint has read it: vLLM words that alike for all of them, Anthropic's included."""
        return self.status == 401 or self.kind == "Bad Request"


def unknown_model(model: object) -> Refused:
    """VLLM's answer to a model it does not serve."""
    return Refused(404, f"The model `{model}` does not exist.", kind="NotFoundError", param="model")


def too_long(*, limit: int, prompt_tokens: int) -> Refused:
    """VLLM's answer to a prompt that cannot fit into the model's context."""
    message = (
        f"This model's maximum context length is {limit} tokens. However, your prompt contains {prompt_tokens} input "
        "tokens, which exceeds this limit even without any output tokens. Please reduce the length of the input prompt."
    )
    return Refused(400, message, param="input_tokens")

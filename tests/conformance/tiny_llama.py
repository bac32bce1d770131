"""Make a tiny Llama with random weights and a byte-level tokenizer, without any download: `tiny_llama.py FOLDER`.

Runs in the engine's own environment (Python 3.11, see deploy/vllm/), so it imports nothing of ours. The tokenizer is
trained on Python's standard library. A million parameters answer at once, and nonsense, which is all a wire needs.

It has many small layers, which only cost time. With two it made some hundreds of tokens a second on one busy core, and
vLLM's server, which takes in all that the engine has made before it does anything else, sent nothing before an answer
was at its end. Then nobody could leave in the middle of one.

It must not wander: text forced into a grammar ends only if the model does not prefer blanks for ever, and
a length is only certain if it never ends by itself. So it dislikes every token that is not visible ASCII.
"""

import sys
import sysconfig
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

CONTEXT = 2048
VOCABULARY = 2048
SPECIAL = ["<|pad|>", "<|bos|>", "<|eos|>", "<|im_start|>", "<|im_end|>"]
TEMPLATE = (
    "{% if tools %}<|im_start|>tools\n{{ tools | tojson }}<|im_end|>\n{% endif %}"
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] or '' }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def main() -> None:
    """Write model and tokenizer into the folder that is the only argument."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer()
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    model = LlamaForCausalLM(_shape())
    _dislike(model, [token for token in range(len(tokenizer)) if not _visible(tokenizer.decode([token]))])
    model.save_pretrained(folder)


def _tokenizer() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))[:120]
    tokenizer.train([str(text) for text in texts], trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<|bos|>",
        eos_token="<|im_end|>",
        pad_token="<|pad|>",
        model_max_length=CONTEXT,
    )
    fast.chat_template = TEMPLATE
    return fast


def _visible(text: str) -> bool:
    return text not in SPECIAL and text.isascii() and text.strip().isprintable() and bool(text.strip())


@torch.no_grad()
def _dislike(model: LlamaForCausalLM, tokens: list[int]) -> None:
    """Keep the hidden state's first dimension positive through all layers, and let it count against `tokens`."""
    model.model.embed_tokens.weight[:, 0] = 0.02
    for layer in model.model.layers:
        layer.self_attn.o_proj.weight[0] = 0
        layer.mlp.down_proj.weight[0] = 0
    model.lm_head.weight[:, 0] = 0
    model.lm_head.weight[tokens, 0] = -100


def _shape() -> LlamaConfig:
    return LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=24,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=32,
        max_position_embeddings=CONTEXT,
        bos_token_id=1,
        eos_token_id=4,
        pad_token_id=0,
        tie_word_embeddings=False,
        dtype="float32",
    )


if __name__ == "__main__":
    main()

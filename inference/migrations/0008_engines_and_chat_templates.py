"""A pool may be any engine that has an adapter; a deployment may say how messages are written as text."""

from typing import ClassVar

from django.db import migrations, models
from django.db.migrations.operations.base import Operation

import inference.models.fleet

ENGINES = (
    ("vllm", "vLLM"),
    ("sglang", "SGLang"),
    ("tgi", "Text Generation Inference"),
    ("trtllm", "TensorRT-LLM (trtllm-serve)"),
    ("triton", "Triton with TensorRT-LLM"),
    ("llamacpp", "llama.cpp"),
    ("compatible", "OpenAI-compatible URL"),
    ("openai", "OpenAI"),
    ("anthropic", "Anthropic"),
    ("mistral", "Mistral"),
)
# What was called OpenAI so far was any URL that speaks as OpenAI does.
RENAME = "UPDATE inference_pool SET engine = 'compatible' WHERE engine = 'openai'"
BACK = "UPDATE inference_pool SET engine = 'openai' WHERE engine = 'compatible'"


class Migration(migrations.Migration):
    dependencies: ClassVar = [("inference", "0007_anthropic_pools")]
    operations: ClassVar[list[Operation]] = [
        migrations.AlterField("pool", "engine", models.CharField(max_length=16, choices=ENGINES)),
        migrations.RunSQL(RENAME, BACK),
        migrations.AddField(
            "deployment",
            "chat_template",
            models.TextField(
                blank=True,
                default="",
                validators=[inference.models.fleet.check_chat_template],
                help_text="For engines that know no messages: chatml, llama3, mistral, gemma, or the model's own, "
                "in Jinja.",
            ),
        ),
    ]

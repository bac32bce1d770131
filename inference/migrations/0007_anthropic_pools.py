"""A pool may be Anthropic's API."""

from typing import ClassVar

from django.db import migrations, models
from django.db.migrations.operations.base import Operation

ENGINES = (
    ("vllm", "vLLM"),
    ("llamacpp", "llama.cpp"),
    ("openai", "OpenAI-compatible"),
    ("anthropic", "Anthropic"),
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("inference", "0006_sealed_credentials")]
    operations: ClassVar[list[Operation]] = [
        migrations.AlterField("pool", "engine", models.CharField(max_length=16, choices=ENGINES)),
    ]

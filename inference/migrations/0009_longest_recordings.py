"""How long a recording a model's engines take; what modalities are called is said where they are entered."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models
from django.db.migrations.operations.base import Operation

import inference.models.catalogue


class Migration(migrations.Migration):
    dependencies: ClassVar = [("inference", "0008_engines_and_chat_templates")]
    operations: ClassVar[list[Operation]] = [
        migrations.AddField(
            "model",
            "max_audio_seconds",
            models.PositiveIntegerField(
                null=True,
                blank=True,
                help_text="The longest recording that its engines take; empty: as long as 25 MB can be.",
            ),
        ),
        migrations.AlterField(
            "model",
            "input_modalities",
            ArrayField(
                models.CharField(max_length=16),
                default=inference.models.catalogue.text_only,
                help_text="What it reads: text, image, audio.",
            ),
        ),
        migrations.AlterField(
            "model",
            "output_modalities",
            ArrayField(
                models.CharField(max_length=16),
                default=inference.models.catalogue.text_only,
                help_text="What it makes: text, embeddings, scores, audio, image.",
            ),
        ),
    ]

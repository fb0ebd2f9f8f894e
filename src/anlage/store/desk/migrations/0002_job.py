import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("desk", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Job",
            fields=[
                ("id", models.CharField(max_length=16, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=80)),
                ("person", models.CharField(max_length=80)),
                ("title", models.CharField(max_length=200)),
                ("subject", models.CharField(blank=True, default="", max_length=200)),
                ("arguments", models.TextField()),
                ("state", models.CharField(db_index=True, default="waiting", max_length=12)),
                ("fraction", models.FloatField(default=0.0)),
                ("words", models.TextField(default="")),
                ("problems", models.TextField(default="[]")),
                ("result_file", models.CharField(max_length=64, null=True)),
                ("files", models.TextField(default="{}")),
                ("submitted", models.DateTimeField(default=django.utils.timezone.now)),
                ("started", models.DateTimeField(null=True)),
                ("ended", models.DateTimeField(null=True)),
                ("is_cancel_asked", models.BooleanField(default=False)),
            ],
            options={
                "db_table": "job",
                "indexes": [models.Index(fields=["person", "-submitted"], name="job_of_person")],
            },
        ),
    ]

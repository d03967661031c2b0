from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("library", "0006_outputs"),
        ("teams", "0007_invitation_token"),
    ]

    operations = [
        migrations.AddField(
            model_name="image",
            name="hidden_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When it was made private later.",
                null=True,
                verbose_name="hidden at",
            ),
        ),
        migrations.AddIndex(
            model_name="image",
            index=models.Index(
                condition=models.Q(("hidden_at__isnull", False)),
                fields=["team", "-hidden_at"],
                name="hidden_lately_in_a_team",
            ),
        ),
    ]

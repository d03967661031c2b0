from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("teams", "0007_invitation_token")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="time_zone",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Of the times on their pages; empty: that of the team.",
                max_length=64,
                verbose_name="time zone",
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="language",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Empty: as the browser asks.",
                max_length=16,
                verbose_name="language",
            ),
        ),
    ]

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("teams", "0006_tokens")]

    operations = [
        migrations.AddField(
            model_name="invitation",
            name="token",
            field=models.ForeignKey(
                editable=False,
                help_text="The token that asked for it by the API, and with which it ends; empty: a page.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="invitations",
                to="teams.token",
                verbose_name="API token",
            ),
        ),
    ]

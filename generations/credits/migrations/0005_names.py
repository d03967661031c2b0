import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from generations.credits import guard


class Migration(migrations.Migration):
    dependencies = [
        ("credits", "0004_days_summed_up"),
        ("teams", "0004_names"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="account",
            name="balance",
            field=models.BigIntegerField(default=0, verbose_name="balance"),
        ),
        migrations.AlterField(
            model_name="account",
            name="held",
            field=models.BigIntegerField(default=0, verbose_name="held"),
        ),
        migrations.AlterField(
            model_name="account",
            name="kind",
            field=models.CharField(
                choices=[("issued", "Issued"), ("spent", "Spent"), ("pool", "Pool"), ("wallet", "Wallet")],
                max_length=8,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="account",
            name="membership",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="wallet",
                to="teams.membership",
                verbose_name="membership",
            ),
        ),
        migrations.AlterField(
            model_name="account",
            name="team",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="pool",
                to="teams.team",
                verbose_name="team",
            ),
        ),
        migrations.AlterField(
            model_name="dayofmember",
            name="amount",
            field=models.BigIntegerField(help_text="hundredths of a credit", verbose_name="amount"),
        ),
        migrations.AlterField(
            model_name="dayofmember",
            name="day",
            field=models.DateField(verbose_name="day"),
        ),
        migrations.AlterField(
            model_name="dayofmember",
            name="kind",
            field=models.CharField(
                choices=[
                    ("issue", "Issued"),
                    ("grant", "Granted"),
                    ("take_back", "Taken back"),
                    ("allowance", "Allowance"),
                    ("charge", "Charged"),
                    ("refund", "Refunded"),
                    ("adjustment", "Adjusted"),
                ],
                max_length=12,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="dayofmember",
            name="lines",
            field=models.PositiveIntegerField(verbose_name="lines"),
        ),
        migrations.AlterField(
            model_name="dayofmember",
            name="member",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="teams.membership",
                verbose_name="member",
            ),
        ),
        migrations.AlterField(
            model_name="dayofmember",
            name="team",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="teams.team",
                verbose_name="team",
            ),
        ),
        migrations.AlterField(
            model_name="dayofmodel",
            name="amount",
            field=models.BigIntegerField(help_text="hundredths of a credit", verbose_name="amount"),
        ),
        migrations.AlterField(
            model_name="dayofmodel",
            name="day",
            field=models.DateField(verbose_name="day"),
        ),
        migrations.AlterField(
            model_name="dayofmodel",
            name="kind",
            field=models.CharField(
                choices=[
                    ("issue", "Issued"),
                    ("grant", "Granted"),
                    ("take_back", "Taken back"),
                    ("allowance", "Allowance"),
                    ("charge", "Charged"),
                    ("refund", "Refunded"),
                    ("adjustment", "Adjusted"),
                ],
                max_length=12,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="dayofmodel",
            name="lines",
            field=models.PositiveIntegerField(verbose_name="lines"),
        ),
        migrations.AlterField(
            model_name="dayofmodel",
            name="model",
            field=models.CharField(blank=True, max_length=40, verbose_name="model"),
        ),
        migrations.AlterField(
            model_name="dayofmodel",
            name="team",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="teams.team",
                verbose_name="team",
            ),
        ),
        migrations.AlterField(
            model_name="hold",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="holds",
                to="credits.account",
                verbose_name="account",
            ),
        ),
        migrations.AlterField(
            model_name="hold",
            name="amount",
            field=models.BigIntegerField(help_text="hundredths of a credit", verbose_name="amount"),
        ),
        migrations.AlterField(
            model_name="hold",
            name="closed_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="closed at"),
        ),
        migrations.AlterField(
            model_name="hold",
            name="member",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="holds",
                to="teams.membership",
                verbose_name="member",
            ),
        ),
        migrations.AlterField(
            model_name="hold",
            name="model",
            field=models.CharField(blank=True, max_length=40, verbose_name="model"),
        ),
        migrations.AlterField(
            model_name="hold",
            name="opened_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now, editable=False, verbose_name="opened at"
            ),
        ),
        migrations.AlterField(
            model_name="hold",
            name="reference",
            field=models.UUIDField(unique=True, verbose_name="reference"),
        ),
        migrations.AlterField(
            model_name="hold",
            name="state",
            field=models.CharField(
                choices=[("open", "Held"), ("settled", "Settled"), ("released", "Released")],
                default="open",
                max_length=8,
                verbose_name="state",
            ),
        ),
        migrations.AlterField(
            model_name="hold",
            name="transfer",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="hold",
                to="credits.transfer",
                verbose_name="transfer",
            ),
        ),
        migrations.AlterField(
            model_name="rolledup",
            name="team",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="rolled_up",
                to="teams.team",
                verbose_name="team",
            ),
        ),
        migrations.AlterField(
            model_name="rolledup",
            name="time_zone",
            field=models.CharField(max_length=64, verbose_name="time zone"),
        ),
        migrations.AlterField(
            model_name="rolledup",
            name="until",
            field=models.DateField(verbose_name="until"),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="actor",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="actor",
            ),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="amount",
            field=models.BigIntegerField(help_text="hundredths of a credit", verbose_name="amount"),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="created_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now, editable=False, verbose_name="created at"
            ),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="kind",
            field=models.CharField(
                choices=[
                    ("issue", "Issued"),
                    ("grant", "Granted"),
                    ("take_back", "Taken back"),
                    ("allowance", "Allowance"),
                    ("charge", "Charged"),
                    ("refund", "Refunded"),
                    ("adjustment", "Adjusted"),
                ],
                max_length=12,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="member",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="transfers",
                to="teams.membership",
                verbose_name="member",
            ),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="model",
            field=models.CharField(
                blank=True, help_text="The image model, for a charge.", max_length=40, verbose_name="model"
            ),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="note",
            field=models.CharField(blank=True, max_length=400, verbose_name="note"),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="reference",
            field=models.UUIDField(
                help_text="What it was for: a generation, a form, a period.", verbose_name="reference"
            ),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="source",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="outgoing",
                to="credits.account",
                verbose_name="source",
            ),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="target",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="incoming",
                to="credits.account",
                verbose_name="target",
            ),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="team",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="transfers",
                to="teams.team",
                verbose_name="team",
            ),
        ),
        migrations.RunPython(guard.put_up, guard.take_down),
    ]

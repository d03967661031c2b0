import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("office", "0002_changes_guard"),
        ("teams", "0004_names"),
        ("upstreams", "0004_names"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="allowance",
            name="amount",
            field=models.PositiveBigIntegerField(help_text="hundredths of a credit", verbose_name="amount"),
        ),
        migrations.AlterField(
            model_name="allowance",
            name="changed_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now, editable=False, verbose_name="changed at"
            ),
        ),
        migrations.AlterField(
            model_name="allowance",
            name="first_month",
            field=models.DateField(
                help_text="The first day of the first month that it is given for.", verbose_name="first month"
            ),
        ),
        migrations.AlterField(
            model_name="allowance",
            name="given_month",
            field=models.DateField(
                blank=True,
                editable=False,
                help_text="The first day of the last month it was given for.",
                null=True,
                verbose_name="given month",
            ),
        ),
        migrations.AlterField(
            model_name="allowance",
            name="kind",
            field=models.CharField(
                choices=[("top_up", "Top up to"), ("add", "Add")],
                default="top_up",
                max_length=8,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="allowance",
            name="membership",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="allowance",
                to="teams.membership",
                verbose_name="membership",
            ),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="act",
            field=models.CharField(
                choices=[
                    ("team_made", "made the team"),
                    ("team_changed", "changed the team"),
                    ("member_admitted", "admitted"),
                    ("member_removed", "removed"),
                    ("member_left", "left"),
                    ("role_changed", "changed the role of"),
                    ("weight_changed", "changed the weight of"),
                    ("program_made", "made the program"),
                    ("invited", "invited"),
                    ("invitation_revoked", "revoked the invitation of"),
                    ("issued", "issued credits to the pool"),
                    ("granted", "granted credits to"),
                    ("taken_back", "took credits back from"),
                    ("refunded", "refunded a picture of"),
                    ("adjusted", "adjusted the credits of"),
                    ("allowance_set", "set the allowance of"),
                    ("caps_set", "set the caps of"),
                    ("price_set", "set the price of"),
                    ("model_rule_set", "set who may use"),
                    ("upstream_changed", "changed the upstream"),
                    ("person_changed", "changed the account of"),
                    ("queue_changed", "changed the queue"),
                ],
                max_length=24,
                verbose_name="act",
            ),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="actor",
            field=models.ForeignKey(
                help_text="Empty: a command.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="actor",
            ),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="address",
            field=models.GenericIPAddressField(
                help_text="From where; empty for a command.", null=True, verbose_name="address"
            ),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="after",
            field=models.JSONField(blank=True, default=dict, verbose_name="after"),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="at",
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="at"),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="before",
            field=models.JSONField(blank=True, default=dict, verbose_name="before"),
        ),
        migrations.AlterField(
            model_name="auditentry",
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
            model_name="auditentry",
            name="note",
            field=models.CharField(blank=True, max_length=400, verbose_name="note"),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="subject",
            field=models.CharField(
                blank=True,
                help_text="What it was done to, if no member.",
                max_length=200,
                verbose_name="subject",
            ),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="team",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="audit_entries",
                to="teams.team",
                verbose_name="team",
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="about",
            field=models.CharField(
                help_text="What it is about, unique within its kind while open.",
                max_length=80,
                verbose_name="about",
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="cleared_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="cleared at"),
        ),
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("wallet_low", "My credits are running low"),
                    ("cap_reached", "My cap is reached"),
                    ("pool_low", "The pool is running low"),
                    ("upstream_paused", "An upstream is paused"),
                    ("provider_low", "The provider's balance is running low"),
                ],
                max_length=20,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="member",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="notices",
                to="teams.membership",
                verbose_name="member",
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="raised_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now, editable=False, verbose_name="raised at"
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="team",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="notices",
                to="teams.team",
                verbose_name="team",
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="upstream",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="notices",
                to="upstreams.upstream",
                verbose_name="upstream",
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="values",
            field=models.JSONField(
                default=dict, help_text="The numbers and names its sentence holds.", verbose_name="values"
            ),
        ),
        migrations.AlterField(
            model_name="noticereader",
            name="dismissed_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="dismissed at"),
        ),
        migrations.AlterField(
            model_name="noticereader",
            name="mail_due_at",
            field=models.DateTimeField(
                editable=False,
                help_text="Not before then; empty: no mail, or no more.",
                null=True,
                verbose_name="mail due at",
            ),
        ),
        migrations.AlterField(
            model_name="noticereader",
            name="mail_tries",
            field=models.PositiveSmallIntegerField(default=0, editable=False, verbose_name="mail tries"),
        ),
        migrations.AlterField(
            model_name="noticereader",
            name="mailed_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="mailed at"),
        ),
        migrations.AlterField(
            model_name="noticereader",
            name="notice",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="readers",
                to="office.notice",
                verbose_name="notice",
            ),
        ),
        migrations.AlterField(
            model_name="noticereader",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="user",
            ),
        ),
    ]

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("teams", "0003_invitations"),
    ]

    operations = [
        migrations.AlterField(
            model_name="invitation",
            name="created_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now, editable=False, verbose_name="created at"
            ),
        ),
        migrations.AlterField(
            model_name="invitation",
            name="credits",
            field=models.PositiveBigIntegerField(
                default=0,
                help_text="What each who comes is granted from the pool; hundredths of a credit",
                verbose_name="credits",
            ),
        ),
        migrations.AlterField(
            model_name="invitation",
            name="email",
            field=models.EmailField(
                blank=True,
                help_text="Whom it was mailed to, and for whom alone it is good.",
                max_length=254,
                verbose_name="email",
            ),
        ),
        migrations.AlterField(
            model_name="invitation",
            name="expires_at",
            field=models.DateTimeField(verbose_name="expires at"),
        ),
        migrations.AlterField(
            model_name="invitation",
            name="made_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="made by",
            ),
        ),
        migrations.AlterField(
            model_name="invitation",
            name="revoked_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="revoked at"),
        ),
        migrations.AlterField(
            model_name="invitation",
            name="role",
            field=models.CharField(
                choices=[
                    ("owner", "Owner"),
                    ("administrator", "Administrator"),
                    ("member", "Member"),
                    ("viewer", "Viewer"),
                ],
                default="member",
                max_length=16,
                verbose_name="role",
            ),
        ),
        migrations.AlterField(
            model_name="invitation",
            name="team",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="invitations",
                to="teams.team",
                verbose_name="team",
            ),
        ),
        migrations.AlterField(
            model_name="invitation",
            name="token_hash",
            field=models.CharField(
                editable=False,
                help_text="SHA-256, hex",
                max_length=64,
                unique=True,
                verbose_name="token hash",
            ),
        ),
        migrations.AlterField(
            model_name="invitation",
            name="used",
            field=models.PositiveIntegerField(default=0, editable=False, verbose_name="used"),
        ),
        migrations.AlterField(
            model_name="invitation",
            name="uses",
            field=models.PositiveIntegerField(
                default=1, help_text="How many people it lets in.", verbose_name="uses"
            ),
        ),
        migrations.AlterField(
            model_name="invitationuse",
            name="granted",
            field=models.PositiveBigIntegerField(
                default=0,
                help_text="Less than promised if the pool had too little; hundredths of a credit",
                verbose_name="granted",
            ),
        ),
        migrations.AlterField(
            model_name="invitationuse",
            name="invitation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="people",
                to="teams.invitation",
                verbose_name="invitation",
            ),
        ),
        migrations.AlterField(
            model_name="invitationuse",
            name="membership",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="invitations",
                to="teams.membership",
                verbose_name="membership",
            ),
        ),
        migrations.AlterField(
            model_name="invitationuse",
            name="used_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now, editable=False, verbose_name="used at"
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="cap_per_day",
            field=models.PositiveBigIntegerField(
                blank=True, help_text="hundredths of a credit", null=True, verbose_name="cap per day"
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="cap_per_month",
            field=models.PositiveBigIntegerField(
                blank=True, help_text="hundredths of a credit", null=True, verbose_name="cap per month"
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="ended_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="ended at"),
        ),
        migrations.AlterField(
            model_name="membership",
            name="joined_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now, editable=False, verbose_name="joined at"
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="kind",
            field=models.CharField(
                choices=[("person", "Person"), ("program", "Program")],
                default="person",
                max_length=8,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="name",
            field=models.CharField(
                blank=True, help_text="What a program is called.", max_length=120, verbose_name="name"
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="role",
            field=models.CharField(
                choices=[
                    ("owner", "Owner"),
                    ("administrator", "Administrator"),
                    ("member", "Member"),
                    ("viewer", "Viewer"),
                ],
                default="member",
                max_length=16,
                verbose_name="role",
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="seen_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="seen at"),
        ),
        migrations.AlterField(
            model_name="membership",
            name="team",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="memberships",
                to="teams.team",
                verbose_name="team",
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="user",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="memberships",
                to=settings.AUTH_USER_MODEL,
                verbose_name="user",
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="weight",
            field=models.PositiveSmallIntegerField(
                default=1,
                help_text="How many slots in the queue for one of the others'.",
                verbose_name="weight",
            ),
        ),
        migrations.AlterField(
            model_name="team",
            name="created_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now, editable=False, verbose_name="created at"
            ),
        ),
        migrations.AlterField(
            model_name="team",
            name="deactivated_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="deactivated at"),
        ),
        migrations.AlterField(
            model_name="team",
            name="low_pool",
            field=models.PositiveBigIntegerField(
                default=50000,
                help_text="Administrators of a pool with less are told so; 0 for never.",
                verbose_name="low pool",
            ),
        ),
        migrations.AlterField(
            model_name="team",
            name="low_wallet",
            field=models.PositiveBigIntegerField(
                default=2000,
                help_text="A member with less is told so; hundredths of a credit, 0 for never.",
                verbose_name="low wallet",
            ),
        ),
        migrations.AlterField(
            model_name="user",
            name="default_visibility",
            field=models.CharField(
                choices=[("team", "Team"), ("private", "Private")],
                default="team",
                max_length=8,
                verbose_name="default visibility",
            ),
        ),
        migrations.AlterField(
            model_name="user",
            name="preferences",
            field=models.JSONField(
                blank=True, default=dict, help_text="What the person chose last.", verbose_name="preferences"
            ),
        ),
    ]

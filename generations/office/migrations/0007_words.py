import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("office", "0006_credits"),
        ("upstreams", "0009_words"),
    ]

    operations = [
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
                    ("issued", "issued credits to the team"),
                    ("granted", "granted credits to"),
                    ("taken_back", "took credits back from"),
                    ("refunded", "refunded a picture of"),
                    ("adjusted", "adjusted the credits of"),
                    ("allowance_set", "set the allowance of"),
                    ("caps_set", "set the caps of"),
                    ("price_set", "set the price of"),
                    ("model_rule_set", "set who may use"),
                    ("upstream_changed", "changed the provider account"),
                    ("person_changed", "changed the account of"),
                    ("queue_changed", "changed the queue"),
                    ("token_made", "made an API token of"),
                    ("token_revoked", "revoked an API token of"),
                    ("credits_asked", "asked for credits"),
                    ("credits_declined", "granted no credits to"),
                    ("credits_withdrawn", "withdrew a request for credits"),
                ],
                max_length=24,
                verbose_name="act",
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("wallet_low", "My credits are running low"),
                    ("cap_reached", "My cap is reached"),
                    ("credits_answered", "My request for credits is answered"),
                    ("credits_asked", "Somebody asks for credits"),
                    ("pool_low", "The team credits are running low"),
                    ("upstream_paused", "A provider account is paused"),
                    ("provider_low", "The provider's balance is running low"),
                ],
                max_length=20,
                verbose_name="kind",
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
                verbose_name="provider account",
            ),
        ),
    ]

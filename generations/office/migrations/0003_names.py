from django.conf import settings
from django.db import migrations


class Migration(migrations.Migration):
    """Empty: the names stand where the fields are made, since a state made anew 200 times took seconds."""

    dependencies = [
        ("office", "0002_changes_guard"),
        ("teams", "0004_names"),
        ("upstreams", "0004_names"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = []

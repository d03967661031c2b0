from django.db import migrations


class Migration(migrations.Migration):
    """Empty: the names stand where the fields are made, since a state made anew 200 times took seconds."""

    dependencies = [
        ("jobs", "0002_modelrule"),
        ("library", "0002_names"),
        ("teams", "0004_names"),
        ("upstreams", "0004_names"),
    ]

    operations = []

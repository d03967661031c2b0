from django.db import migrations


class Migration(migrations.Migration):
    """Empty: the names stand where the fields are made, since a state made anew 200 times took seconds."""

    dependencies = [
        ("teams", "0003_invitations"),
    ]

    operations = []

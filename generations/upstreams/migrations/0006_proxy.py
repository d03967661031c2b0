"""An account may be called through a proxy; its user name and password are encrypted."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("upstreams", "0005_closed_models"),
    ]

    operations = [
        migrations.AddField(
            model_name="upstream",
            name="proxy",
            field=models.CharField(
                blank=True,
                default="",
                help_text="An HTTP proxy for calls of this account, such as http://proxy.example.com:3128.",
                max_length=400,
                verbose_name="proxy",
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="upstream",
            name="encrypted_proxy_login",
            field=models.TextField(
                blank=True, default="", editable=False, verbose_name="encrypted login of the proxy"
            ),
            preserve_default=False,
        ),
    ]

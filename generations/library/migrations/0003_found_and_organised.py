import django.db.models.deletion
import django.utils.timezone
import uuid6
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("library", "0002_names"),
        ("teams", "0005_founding"),
    ]

    operations = [
        migrations.CreateModel(
            name="Archive",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid6.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                        verbose_name="id",
                    ),
                ),
                ("images", models.JSONField(help_text="Ids.", verbose_name="images")),
                (
                    "form",
                    models.CharField(
                        default="original",
                        help_text="original, png, jpeg or webp",
                        max_length=8,
                        verbose_name="form",
                    ),
                ),
                ("with_parameters", models.BooleanField(default=True, verbose_name="with parameters")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("ready", "Ready"),
                            ("under_way", "Under way"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="ready",
                        max_length=9,
                        verbose_name="state",
                    ),
                ),
                ("packed", models.PositiveIntegerField(default=0, verbose_name="packed")),
                ("reason", models.CharField(blank=True, max_length=400, verbose_name="reason")),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created at"
                    ),
                ),
                (
                    "changed_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="changed at"),
                ),
            ],
            options={
                "verbose_name": "archive",
                "verbose_name_plural": "archives",
            },
        ),
        migrations.CreateModel(
            name="Collected",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
            ],
            options={
                "verbose_name": "collected image",
                "verbose_name_plural": "collected images",
            },
        ),
        migrations.CreateModel(
            name="Collection",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid6.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                        verbose_name="id",
                    ),
                ),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                (
                    "visibility",
                    models.CharField(
                        choices=[("team", "Team"), ("private", "Private")],
                        default="team",
                        max_length=8,
                        verbose_name="visibility",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created at"
                    ),
                ),
                (
                    "changed_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now,
                        help_text="When something was last put in or taken out.",
                        verbose_name="changed at",
                    ),
                ),
            ],
            options={
                "verbose_name": "collection",
                "verbose_name_plural": "collections",
            },
        ),
        migrations.CreateModel(
            name="Deed",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid6.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                        verbose_name="id",
                    ),
                ),
                (
                    "act",
                    models.CharField(
                        choices=[
                            ("tag", "Tag"),
                            ("untag", "Remove tag"),
                            ("collect", "Collect"),
                            ("take_out", "Take out of the collection"),
                            ("like", "Favourite"),
                            ("unlike", "No favourite any more"),
                            ("show_team", "Show to the team"),
                            ("keep_private", "Keep private"),
                            ("trash", "Trash"),
                            ("restore", "Restore"),
                            ("purge", "Delete for good"),
                        ],
                        max_length=12,
                        verbose_name="act",
                    ),
                ),
                (
                    "argument",
                    models.CharField(
                        blank=True,
                        help_text="A tag's name, or a collection's id.",
                        max_length=200,
                        verbose_name="argument",
                    ),
                ),
                (
                    "images",
                    models.JSONField(
                        help_text="Ids, in the order in which they are taken.", verbose_name="images"
                    ),
                ),
                (
                    "done",
                    models.PositiveIntegerField(
                        default=0, help_text="How many of them were looked at.", verbose_name="done"
                    ),
                ),
                (
                    "changed",
                    models.JSONField(
                        default=list, help_text="Ids of those that it changed.", verbose_name="changed"
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created at"
                    ),
                ),
                (
                    "lease_until",
                    models.DateTimeField(
                        blank=True,
                        help_text="A worker is at it until then.",
                        null=True,
                        verbose_name="lease until",
                    ),
                ),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended at")),
            ],
            options={
                "verbose_name": "deed",
                "verbose_name_plural": "deeds",
            },
        ),
        migrations.CreateModel(
            name="DiscardedObject",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=300, unique=True, verbose_name="key")),
                (
                    "discarded_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="discarded at"),
                ),
            ],
            options={
                "verbose_name": "discarded object",
                "verbose_name_plural": "discarded objects",
            },
        ),
        migrations.CreateModel(
            name="Favourite",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
            ],
            options={
                "verbose_name": "favourite",
                "verbose_name_plural": "favourites",
            },
        ),
        migrations.CreateModel(
            name="SavedSearch",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid6.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                        verbose_name="id",
                    ),
                ),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                (
                    "address",
                    models.CharField(
                        help_text="What stands behind the question mark.",
                        max_length=2000,
                        verbose_name="address",
                    ),
                ),
                (
                    "visibility",
                    models.CharField(
                        choices=[("team", "Team"), ("private", "Private")],
                        default="private",
                        max_length=8,
                        verbose_name="visibility",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created at"
                    ),
                ),
            ],
            options={
                "verbose_name": "saved search",
                "verbose_name_plural": "saved searches",
            },
        ),
        migrations.CreateModel(
            name="SearchEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "visibility",
                    models.CharField(
                        choices=[("team", "Team"), ("private", "Private")],
                        max_length=8,
                        verbose_name="visibility",
                    ),
                ),
                ("created_at", models.DateTimeField(help_text="The image's own.", verbose_name="created at")),
                (
                    "document",
                    models.TextField(
                        help_text="Tokens of words, and of all that filters ask for.", verbose_name="document"
                    ),
                ),
            ],
            options={
                "verbose_name": "search entry",
                "verbose_name_plural": "search entries",
            },
        ),
        migrations.CreateModel(
            name="Share",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid6.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                        verbose_name="id",
                    ),
                ),
                ("shows_prompt", models.BooleanField(default=False, verbose_name="shows the prompt")),
                ("views", models.PositiveIntegerField(default=0, verbose_name="views")),
                ("viewed_at", models.DateTimeField(blank=True, null=True, verbose_name="viewed at")),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created at"
                    ),
                ),
                ("expires_at", models.DateTimeField(blank=True, null=True, verbose_name="expires at")),
                ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="revoked at")),
            ],
            options={
                "verbose_name": "share",
                "verbose_name_plural": "shares",
            },
        ),
        migrations.CreateModel(
            name="Tag",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="As it was first written.", max_length=60, verbose_name="name"
                    ),
                ),
                (
                    "key",
                    models.CharField(
                        help_text="Without differences that nobody types.", max_length=120, verbose_name="key"
                    ),
                ),
            ],
            options={
                "verbose_name": "tag",
                "verbose_name_plural": "tags",
            },
        ),
        migrations.CreateModel(
            name="Tagged",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
            ],
            options={
                "verbose_name": "tagged image",
                "verbose_name_plural": "tagged images",
            },
        ),
        migrations.AddField(
            model_name="image",
            name="trashed_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="teams.membership",
                verbose_name="trashed by",
            ),
        ),
        migrations.AddIndex(
            model_name="image",
            index=models.Index(
                condition=models.Q(("trashed_at__isnull", False)),
                fields=["team", "-trashed_at", "-id"],
                name="trash_of_a_team",
            ),
        ),
        migrations.AddIndex(
            model_name="image",
            index=models.Index(fields=["key"], name="images_by_object"),
        ),
        migrations.AddIndex(
            model_name="upload",
            index=models.Index(fields=["key"], name="uploads_by_object"),
        ),
        migrations.AddField(
            model_name="archive",
            name="member",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="teams.membership",
                verbose_name="member",
            ),
        ),
        migrations.AddField(
            model_name="archive",
            name="team",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="teams.team",
                verbose_name="team",
            ),
        ),
        migrations.AddField(
            model_name="collected",
            name="image",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="collected",
                to="library.image",
                verbose_name="image",
            ),
        ),
        migrations.AddField(
            model_name="collection",
            name="owner",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="collections",
                to="teams.membership",
                verbose_name="owner",
            ),
        ),
        migrations.AddField(
            model_name="collection",
            name="team",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="collections",
                to="teams.team",
                verbose_name="team",
            ),
        ),
        migrations.AddField(
            model_name="collected",
            name="collection",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="collected",
                to="library.collection",
                verbose_name="collection",
            ),
        ),
        migrations.AddField(
            model_name="deed",
            name="member",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="deeds",
                to="teams.membership",
                verbose_name="member",
            ),
        ),
        migrations.AddField(
            model_name="deed",
            name="team",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="teams.team",
                verbose_name="team",
            ),
        ),
        migrations.AddField(
            model_name="deed",
            name="undoes",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="undone_by",
                to="library.deed",
                verbose_name="undoes",
            ),
        ),
        migrations.AddField(
            model_name="favourite",
            name="image",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="favourites",
                to="library.image",
                verbose_name="image",
            ),
        ),
        migrations.AddField(
            model_name="favourite",
            name="member",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="favourites",
                to="teams.membership",
                verbose_name="member",
            ),
        ),
        migrations.AddField(
            model_name="savedsearch",
            name="owner",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="saved_searches",
                to="teams.membership",
                verbose_name="owner",
            ),
        ),
        migrations.AddField(
            model_name="savedsearch",
            name="team",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="saved_searches",
                to="teams.team",
                verbose_name="team",
            ),
        ),
        migrations.AddField(
            model_name="searchentry",
            name="image",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="entry",
                to="library.image",
                verbose_name="image",
            ),
        ),
        migrations.AddField(
            model_name="searchentry",
            name="owner",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="teams.membership",
                verbose_name="owner",
            ),
        ),
        migrations.AddField(
            model_name="searchentry",
            name="team",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="teams.team",
                verbose_name="team",
            ),
        ),
        migrations.AddField(
            model_name="share",
            name="collection",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="shares",
                to="library.collection",
                verbose_name="collection",
            ),
        ),
        migrations.AddField(
            model_name="share",
            name="image",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="shares",
                to="library.image",
                verbose_name="image",
            ),
        ),
        migrations.AddField(
            model_name="share",
            name="maker",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="shares",
                to="teams.membership",
                verbose_name="maker",
            ),
        ),
        migrations.AddField(
            model_name="share",
            name="team",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="shares",
                to="teams.team",
                verbose_name="team",
            ),
        ),
        migrations.AddField(
            model_name="tag",
            name="team",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="tags",
                to="teams.team",
                verbose_name="team",
            ),
        ),
        migrations.AddField(
            model_name="tagged",
            name="image",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="tagged",
                to="library.image",
                verbose_name="image",
            ),
        ),
        migrations.AddField(
            model_name="tagged",
            name="tag",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="tagged",
                to="library.tag",
                verbose_name="tag",
            ),
        ),
        migrations.AddIndex(
            model_name="archive",
            index=models.Index(fields=["created_at"], name="archives_by_age"),
        ),
        migrations.AddIndex(
            model_name="collection",
            index=models.Index(fields=["team", "-changed_at"], name="collections_used_last"),
        ),
        migrations.AddConstraint(
            model_name="collected",
            constraint=models.UniqueConstraint(
                fields=("collection", "image"), name="an_image_lies_in_a_collection_once"
            ),
        ),
        migrations.AddIndex(
            model_name="deed",
            index=models.Index(fields=["ended_at", "created_at"], name="deeds_still_to_do"),
        ),
        migrations.AddConstraint(
            model_name="favourite",
            constraint=models.UniqueConstraint(
                fields=("member", "image"), name="a_member_likes_an_image_once"
            ),
        ),
        migrations.AddIndex(
            model_name="savedsearch",
            index=models.Index(fields=["team", "name"], name="saved_searches_of_a_team"),
        ),
        migrations.AddIndex(
            model_name="searchentry",
            index=models.Index(fields=["team", "-created_at", "-image"], name="entries_newest_first"),
        ),
        migrations.AddIndex(
            model_name="share",
            index=models.Index(fields=["team", "-created_at"], name="shares_of_a_team"),
        ),
        migrations.AddConstraint(
            model_name="share",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("collection__isnull", True), ("image__isnull", False)),
                    models.Q(("collection__isnull", False), ("image__isnull", True)),
                    _connector="OR",
                ),
                name="a_link_leads_to_one_thing",
            ),
        ),
        migrations.AddConstraint(
            model_name="tag",
            constraint=models.UniqueConstraint(fields=("team", "key"), name="a_team_has_a_tag_once"),
        ),
        migrations.AddConstraint(
            model_name="tagged",
            constraint=models.UniqueConstraint(fields=("tag", "image"), name="an_image_carries_a_tag_once"),
        ),
    ]

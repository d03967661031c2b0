"""Which room answers which address."""

from allauth.account import views as allauth_views
from django.contrib import admin
from django.urls import include, path
from django.views.decorators.cache import never_cache
from django.views.generic import RedirectView

from generations.jobs import numbers
from generations.library import shared_views

urlpatterns = [
    path("", include("generations.teams.urls")),
    path("", include("generations.office.front_urls")),
    path("t/<slug:team>/", include("generations.jobs.urls")),
    path("t/<slug:team>/", include("generations.library.urls")),
    path("t/<slug:team>/", include("generations.credits.urls")),
    path("t/<slug:team>/team/", include("generations.office.urls")),
    path("s/", include("generations.library.share_urls")),
    path("robots.txt", shared_views.robots, name="robots"),
    path("t/<slug:team>/tokens/", include("generations.office.token_urls")),
    path("", include("generations.api.urls")),
    path("queue/", include("generations.jobs.queue_urls")),
    path("installation/", include("generations.office.installation_urls")),
    path("installation/changes/", include("generations.office.changes_urls")),
    path("readyz", numbers.ready, name="readyz"),
    path("metrics", numbers.metrics_text, name="metrics"),
    path("favicon.ico", RedirectView.as_view(url="/static/mark.svg")),
    path("", include("generations.api.wire_urls")),
    path("accounts/notices/", include("generations.office.notice_urls")),
    path("accounts/library/", include("generations.jobs.choices_urls")),
    path("accounts/email/", never_cache(allauth_views.email), name="account_email"),
    path("accounts/", include("allauth.account.urls")),
    path("back-office/", admin.site.urls),
]

"""Which room answers which address."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from generations.jobs import numbers

urlpatterns = [
    path("", include("generations.teams.urls")),
    path("t/<slug:team>/", include("generations.jobs.urls")),
    path("t/<slug:team>/", include("generations.library.urls")),
    path("t/<slug:team>/", include("generations.credits.urls")),
    path("queue/", include("generations.jobs.queue_urls")),
    path("readyz", numbers.ready, name="readyz"),
    path("metrics", numbers.metrics_text, name="metrics"),
    path("favicon.ico", RedirectView.as_view(url="/static/mark.svg")),
    path("accounts/", include("allauth.account.urls")),
    path("back-office/", admin.site.urls),
]

"""Root URL configuration."""

from allauth.account import views as allauth_views
from django.contrib import admin
from django.urls import include, path
from django.views.decorators.cache import never_cache
from django.views.generic import RedirectView

from generations.jobs import urls as jobs_urls
from generations.jobs.monitoring import views as monitoring_views
from generations.library.sharing import public_views

urlpatterns = [
    path("", include("generations.teams.urls")),
    path("", include("generations.office.installation_urls")),
    path("t/<slug:team>/", include("generations.jobs.urls")),
    path("t/<slug:team>/", include("generations.library.urls")),
    path("t/<slug:team>/", include("generations.office.urls")),
    path("s/", include("generations.library.sharing.public_urls")),
    path("robots.txt", public_views.robots, name="robots"),
    path("", include("generations.api.urls")),
    path("queue/", include("generations.jobs.queue.urls")),
    path("operate/", include("generations.office.operate_urls")),
    path("readyz", monitoring_views.ready, name="readyz"),
    path("metrics", monitoring_views.metrics_text, name="metrics"),
    path("favicon.ico", RedirectView.as_view(url="/static/mark.svg")),
    path("accounts/library/", include(jobs_urls.preferences)),
    path("accounts/email/", never_cache(allauth_views.email), name="account_email"),
    path("accounts/", include("allauth.account.urls")),
    path("back-office/", admin.site.urls),
]

"""Which room answers which address."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("generations.teams.urls")),
    path("t/<slug:team>/", include("generations.jobs.urls")),
    path("t/<slug:team>/", include("generations.library.urls")),
    path("t/<slug:team>/", include("generations.credits.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("back-office/", admin.site.urls),
]

"""API tokens, under /t/<team>/tokens/."""

from django.urls import path

from generations.office import token_views

app_name = "tokens"
urlpatterns = [
    path("", token_views.everybody, name="list"),
    path("new/", token_views.new, name="new"),
    path("<int:pk>/revoke/", token_views.revoke, name="revoke"),
]

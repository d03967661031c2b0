"""API tokens, under /t/<team>/tokens/."""

from django.urls import path

from generations.office.tokens import views as tokens_views

app_name = "tokens"
urlpatterns = [
    path("", tokens_views.everybody, name="list"),
    path("new/", tokens_views.new, name="new"),
    path("<int:pk>/revoke/", tokens_views.revoke, name="revoke"),
]

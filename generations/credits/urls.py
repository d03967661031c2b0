from django.urls import path

from generations.credits import views

app_name = "credits"
urlpatterns = [path("credits/", views.statement, name="lines")]

"""URLs of the operators' pages, /operate/."""

from django.urls import path

from generations.office.installation import team_views
from generations.office.prices import installation_views as prices_views
from generations.office.provider_accounts import views as accounts_views
from generations.office.reconciliation import views as reconciliation_views
from generations.office.users import views as users_views

app_name = "operate"
urlpatterns = [
    path("accounts/", accounts_views.account_list, name="accounts"),
    path("accounts/new/", accounts_views.new_account, name="new_account"),
    path("accounts/try/", accounts_views.try_form, name="try_new"),
    path("accounts/look/", accounts_views.look, name="look_new"),
    path("accounts/<int:pk>/look/", accounts_views.look, name="look_account"),
    path("accounts/<int:pk>/", accounts_views.account, name="account"),
    path("accounts/<int:pk>/try/", accounts_views.try_form, name="try_account"),
    path("accounts/<int:pk>/<slug:act>/", accounts_views.switch, name="switch"),
    path("prices/", prices_views.page, name="prices"),
    path("prices/set/", prices_views.set_price, name="set_price"),
    path("prices/proposed/", prices_views.set_proposed, name="set_proposed"),
    path("prices/<int:pk>/withdraw/", prices_views.withdraw_price, name="withdraw_price"),
    path("reconcile/", reconciliation_views.days, name="reconcile"),
    path("reconcile/<slug:day>/", reconciliation_views.day, name="reconcile_day"),
    path("teams/new/", team_views.new_team, name="new_team"),
    path("teams/<slug:slug>/", team_views.team, name="team"),
    path("teams/<slug:slug>/admit/", team_views.admit, name="admit"),
    path("teams/<slug:slug>/<slug:act>/", team_views.act, name="team_act"),
    path("users/", users_views.user_list, name="users"),
    path("users/new/", users_views.new_user, name="new_user"),
    path("users/<int:pk>/", users_views.user, name="user"),
    path("users/<int:pk>/<slug:act>/", users_views.act, name="user_act"),
]

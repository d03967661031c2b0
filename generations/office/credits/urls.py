"""Where credits are moved, and what may be spent is set; under /t/<team>/team/."""

from django.urls import path

from generations.office.credits import grant_views, member_views, refund_views
from generations.office.prices import views as prices_views

urlpatterns = [
    path("grant/", grant_views.grant, name="grant"),
    path("take-back/", grant_views.take_back, name="take_back"),
    path("grant-csv/", grant_views.grant_csv, name="grant_csv"),
    path("members/<int:pk>/", member_views.page, name="member"),
    path("members/<int:pk>/allowance/", member_views.set_allowance, name="set_allowance"),
    path("members/<int:pk>/allowance/end/", member_views.end_allowance, name="end_allowance"),
    path("members/<int:pk>/caps/", member_views.set_caps, name="set_caps"),
    path("members/<int:pk>/adjust/", member_views.adjust, name="adjust"),
    path("prices/", prices_views.page, name="prices"),
    path("prices/set/", prices_views.set_price, name="set_price"),
    path("prices/<int:pk>/withdraw/", prices_views.withdraw_price, name="withdraw_price"),
    path("prices/rule/<str:model>/", prices_views.set_rule, name="set_rule"),
    path("refund/<uuid:generation>/", refund_views.refund, name="refund"),
]

"""URLs below a team, /t/<team>/: one's own credits, running the team, and its API tokens."""

from django.urls import include, path

from generations.office.audit_log import views as audit_log_views
from generations.office.credits import (
    grant_views,
    member_views,
    refund_views,
    request_views,
    statement_views,
)
from generations.office.invitations import views as invitations_views
from generations.office.members import team_views
from generations.office.members import views as members_views
from generations.office.prices import views as prices_views
from generations.office.reports import views as reports_views
from generations.office.tokens import views as tokens_views

office = [
    path("", reports_views.overview_page, name="overview"),
    path("ledger/", reports_views.ledger, name="ledger"),
    path("ledger/export.csv", reports_views.ledger_csv, name="ledger_csv"),
    path("ledger/export.json", reports_views.ledger_json, name="ledger_json"),
    path("grant/", grant_views.grant, name="grant"),
    path("take-back/", grant_views.take_back, name="take_back"),
    path("grant-csv/", grant_views.grant_csv, name="grant_csv"),
    path("members/<int:pk>/", member_views.page, name="member"),
    path("members/<int:pk>/allowance/", member_views.set_allowance, name="set_allowance"),
    path("members/<int:pk>/allowance/end/", member_views.end_allowance, name="end_allowance"),
    path("members/<int:pk>/caps/", member_views.set_caps, name="set_caps"),
    path("members/<int:pk>/adjust/", member_views.adjust, name="adjust"),
    path("ask/", request_views.ask, name="ask_for_credits"),
    path("ask/withdraw/", request_views.withdraw, name="withdraw_credit_request"),
    path("ask/<uuid:credit_request>/answer/", request_views.answer, name="answer_credit_request"),
    path("ask/<uuid:credit_request>/seen/", request_views.put_away, name="put_away_credit_answer"),
    path("prices/", prices_views.page, name="prices"),
    path("prices/set/", prices_views.set_price, name="set_price"),
    path("prices/<int:pk>/withdraw/", prices_views.withdraw_price, name="withdraw_price"),
    path("prices/rule/<str:model>/", prices_views.set_rule, name="set_rule"),
    path("refund/<uuid:generation>/", refund_views.refund, name="refund"),
    path("people/", members_views.member_list, name="people"),
    path("people/invite/", invitations_views.invite, name="invite"),
    path("people/invitation/<int:pk>/revoke/", invitations_views.revoke, name="revoke_invitation"),
    path("people/program/", members_views.new_program, name="new_program"),
    path("people/<int:pk>/", members_views.member_detail, name="person"),
    path("people/<int:pk>/role/", members_views.set_role, name="set_role"),
    path("people/<int:pk>/weight/", members_views.set_weight, name="set_weight"),
    path("people/<int:pk>/name/", members_views.rename_program, name="rename_program"),
    path("people/<int:pk>/remove/", members_views.remove_member, name="remove_member"),
    path("settings/", team_views.settings, name="settings"),
    path("leave/", team_views.leave, name="leave"),
    path("changes/", audit_log_views.team_page, name="changes"),
    path("changes/export.csv", audit_log_views.team_csv, name="changes_csv"),
]
tokens = [
    path("", tokens_views.token_list, name="list"),
    path("new/", tokens_views.new_token, name="new"),
    path("<int:pk>/revoke/", tokens_views.revoke, name="revoke"),
]
own_credits = [
    path("", statement_views.statement, name="lines"),
    path("lines.csv", statement_views.statement_csv, name="lines_csv"),
]
urlpatterns = [
    path("credits/", include((own_credits, "credits"))),
    path("team/", include((office, "office"))),
    path("tokens/", include((tokens, "tokens"))),
]

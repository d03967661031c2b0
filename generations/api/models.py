"""Stored responses of calls with an Idempotency-Key, and what calls without one have to deliver."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from uuid6 import uuid7

from generations.teams.models import Membership, Token


class IdempotentCall(models.Model):
    """An idempotency key of a member: the fingerprint of its request, and the response."""

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    membership = models.ForeignKey(
        Membership, models.PROTECT, verbose_name=_("membership"), related_name="idempotent_calls"
    )
    key = models.CharField(_("key"), max_length=255)
    fingerprint = models.CharField(
        _("fingerprint"),
        max_length=64,
        blank=True,
        help_text=_("SHA-256 of what was asked, hex; empty: it was refused, so the key is free again."),
    )
    status = models.PositiveSmallIntegerField(
        _("status"), null=True, help_text=_("Of the answer; empty until there is one.")
    )
    body = models.TextField(_("body"), blank=True)
    headers = models.JSONField(_("headers"), default=dict, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("idempotent call")
        verbose_name_plural = _("idempotent calls")
        constraints = [
            models.UniqueConstraint(fields=["membership", "key"], name="a_key_of_a_member_asks_once"),
        ]
        indexes = [models.Index(fields=["created_at"], name="oldest_idempotent_calls")]


class UndeliveredOrder(models.Model):
    """An order of a call without an Idempotency-Key, until its answer has reached the client."""

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    token = models.ForeignKey(
        Token, models.CASCADE, verbose_name=_("token"), related_name="undelivered_orders", db_index=False
    )
    fingerprint = models.CharField(
        _("fingerprint"), max_length=64, help_text=_("SHA-256 of what was asked, hex.")
    )
    batch = models.UUIDField(_("batch"))
    call = models.UUIDField(
        _("call"), help_text=_("The last call that waited for it; it fences every later write.")
    )
    held_until = models.DateTimeField(
        _("held until"), help_text=_("Until when that call counts as waiting; renewed while it waits.")
    )

    class Meta:
        verbose_name = _("undelivered order")
        verbose_name_plural = _("undelivered orders")
        constraints = [
            models.UniqueConstraint(fields=["batch"], name="an_order_is_delivered_by_one_call"),
        ]
        indexes = [models.Index(fields=["token", "fingerprint"], name="undelivered_orders_by_request")]

"""`{% load changes %}`: entries of the audit log as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.utils.safestring import SafeString

from generations.office.audit_log import sentences as audit_log_sentences

if TYPE_CHECKING:
    from generations.office.models import AuditEntry

register = template.Library()


@register.filter
def sentence(entry: AuditEntry) -> SafeString:
    """Who did what, with the name in bold."""
    return audit_log_sentences.marked(entry)


@register.filter
def detail(entry: AuditEntry) -> str:
    """Why, or what it was before."""
    return audit_log_sentences.detail(entry)

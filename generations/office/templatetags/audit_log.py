"""`{% load audit_log %}`: audit entries as sentences."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from generations.office.audit_log import sentences as audit_log_sentences
from generations.office.models import AuditEntry

register = template.Library()


@register.filter
def sentence(entry: AuditEntry) -> SafeString:
    """Return the sentence of an entry, with the name of the actor in bold."""
    return audit_log_sentences.sentence_html(entry)


@register.filter
def detail(entry: AuditEntry) -> str:
    """Return the note and the old values of an entry."""
    return audit_log_sentences.detail(entry)

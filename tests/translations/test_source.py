"""Every text in Python code goes through gettext; and each way around it is found."""

from __future__ import annotations

import ast

import pytest

from tests.translations import ROOT, report, source
from tests.translations.gettext_calls import GettextCalls

PYTHON = {path for room in ("generations", "sdweb") for path in (ROOT / room).rglob("*.py")}
# Migrations repeat models, nobody imports the sandbox, programs read English (of the S3 server too), commands
# and the start of the portal speak at a terminal.
NOT_FOR_PAGES = {"migrations", "sandbox", "api", "management", "s3-server", "run_portal.py"}
FOR_PAGES = {path for path in PYTHON if not NOT_FOR_PAGES & set(path.relative_to(ROOT).parts)}
IMPORTS = "from django.utils.translation import gettext as _, gettext_lazy, ngettext\n"


def test_every_text_in_code_that_people_read_can_be_translated():
    assert len(FOR_PAGES) > 100
    assert report(FOR_PAGES, source.faults) == []


def test_gettext_is_asked_rightly_in_all_other_code():
    assert report(PYTHON - FOR_PAGES, lambda text: list(GettextCalls(ast.parse(text)).faults())) == []


def reasons(written: str) -> set[str]:
    return {fault.reason for fault in source.faults(IMPORTS + written)}


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ('def f(n): return _(f"{n} pictures")', "put together before it is translated"),
        ('def f(n): return _("pictures of " + n)', "put together before it is translated"),
        ('def f(n): return _("{} pictures".format(n))', "put together before it is translated"),
        ('def f(n): return _("%s pictures" % n)', "put together before it is translated"),
        ("def f(sentence): return _(sentence)", "a variable is translated"),
        ('def f(n): return ngettext("one", n, 3)', "a variable is translated"),
        ("def f(): return f\"{_('Pictures')}: 3\"", "gettext in an f-string"),
        ('TITLE = _("Pictures")', "translated at import"),
        ('class Form: title = _("Pictures")', "translated at import"),
        ('def f(title=_("Pictures")): ...', "translated at import"),
        ('@register(name=_("Pictures"))\ndef f(): ...', "translated at import"),
        ('class Kind(TextChoices): A = "a", "Own"', "a choice without a translated label"),
        ('class Kind(models.TextChoices): A = "a"', "a choice without a translated label"),
        ("class Row(models.Model): size = models.IntegerField()", "a field without a name"),
        (
            'class Row(models.Model): team = models.ForeignKey("Team", models.CASCADE)',
            "a field without a name",
        ),
        (
            'class F(Form):\n a = forms.CharField(label=gettext_lazy("A"))\n b = forms.CharField()',
            "a field without a label",
        ),
        (
            'class A(ModelAdmin):\n list_display = ["key"]\n def key(self): ...',
            "a column without a description",
        ),
    ],
)
def test_gettext_that_cannot_work_is_found(written, reason):
    assert reasons(written) == {reason}


@pytest.mark.parametrize(
    "written",
    [
        'size = forms.CharField(label="size")',
        'size = forms.CharField(help_text="in pixels")',
        'size = forms.CharField(error_messages={"required": "needed"})',
        'size = forms.ChoiceField(choices=[("a", "own")])',
        'size = forms.ModelChoiceField(empty_label="all")',
        'SIZE_CHOICES = [("a", "own")]',
        'size = models.CharField("size", max_length=9)',
        'class Meta: verbose_name = "picture"',
        'check = RegexValidator(r"^a", message="letters")',
        'raise ValidationError("wrong")',
        'raise ValidationError({"size": ["wrong"]})',
        'raise BadName("taken")',
        'raise Busy("busy", retry_after=3)',
        'raise ValueError("no" if a else gettext_lazy("No."))',
        'form.add_error("size", "wrong")',
        'messages.success(request, "saved")',
        'messages.success(request, "saved " + name)',
        'messages.success(request, f"{n} saved")',
        'modeladmin.message_user(request, "saved")',
        '@admin.display(description="key")\ndef key(row): ...',
        '@admin.action(description="pause")\ndef pause(row): ...',
        'key.short_description = "key"',
        'fieldsets = [("limits", {"fields": ["size"]})]',
        'fieldsets = [(None, {"fields": ["size"], "description": "limits"})]',
        'site.site_header = "portal"',
        'EmailMessage("hello", body)',
        'EmailMessage(subject="hello", body=body)',
        'HttpResponse("gone")',
        'HttpResponseBadRequest(f"no {name}")',
        'context = {"title": "home"}',
        'widget.attrs["placeholder"] = "search"',
        'format_html("<b>new</b> {}", name)',
        "format_html('<a title=\"new\">{}</a>', name)",
        'Model("core", "Core", "fast", 3)',
        'STYLES: dict[str, str] = {"low-poly": "low"}',
        'STYLES = MappingProxyType({"low-poly": "low"})',
        'add_fieldsets = [("limits", {"fields": ["size"]})]',
        'SENTENCES = {401: "The provider does not accept the key"}',
        'def f(): return "This link has expired."',
        'def f(n): return f"{n} pictures were moved"',
        'def f(a): return gettext_lazy("One") if a else "None at all"',
        'TEXT = b"This is too large."',
    ],
)
def test_a_text_without_gettext_is_found(written):
    assert reasons(written) <= {"no gettext", "no gettext in HTML (text)", "no gettext in HTML (title)"}
    assert reasons(written)


@pytest.mark.parametrize(
    "written",
    [
        'TITLE = gettext_lazy("Pictures")',
        'def f(n): return _("%(n)s pictures") % {"n": n}',
        'def f(n): return ngettext("%s picture", "%s pictures", n) % n',
        "def f(style): return _(STYLES[style])",
        '"""A module about pictures."""',
        'def f():\n    """Take all pictures."""',
        'log.info("All pictures are taken")',
        'transaction.on_commit(partial(log.info, "All pictures are taken"))',
        'raise ImproperlyConfigured("Set the key first.")',
        'def f() -> "list of names": ...',
        'QUERY = "SELECT name FROM pictures"',
        'answer["Cache-Control"] = "private, no-store"',
        'headers = {"Content-Disposition": "attachment; filename=all pictures"}',
        'class C(AppConfig): label = "credits"',
        'class Kind(TextChoices): A = "a", gettext_lazy("Own")',
        'choices = [("a", gettext_lazy("Own"))]',
        'format_html(\'<a class="new" title="{}">{}</a>\', _, name)',
        "class F(Form):\n a = forms.CharField()\n b = forms.CharField()",
    ],
)
def test_what_goes_through_gettext_or_is_for_machines_is_none(written):
    assert reasons(written) == set()

"""Every text of a template is translated; and each way of writing one that is not is found."""

from __future__ import annotations

from functools import partial

import pytest

from tests.translations import ROOT, report, templates

FOLDERS = [ROOT / "templates", ROOT / "generations", ROOT / "sdweb"]


def test_every_text_of_every_page_can_be_translated():
    pages = [path for folder in FOLDERS for path in folder.rglob("*.html")]
    assert len(pages) > 100
    assert report(pages, templates.faults) == []


def test_every_text_of_every_mail_can_be_translated():
    mails = [path for folder in FOLDERS for path in folder.rglob("*.txt")]
    assert len(mails) > 5
    assert report(mails, partial(templates.faults, is_html=False)) == []


@pytest.mark.parametrize(
    "written",
    [
        "<h1>Pictures</h1>",
        "{% block title %}Pictures{% endblock %}",
        "<p>{% translate 'Done' %} again</p>",
        "<p>{{ count }} of {{ all }}</p>",
        "<p>{{ name|default:'Nobody' }}</p>",
        "<p>{{ liked|yesno:'yes,no' }}</p>",
        "<p>{{ count }} {% translate 'picture' %}{{ count|pluralize }}</p>",
        "<p>{% firstof name 'Nobody' %}</p>",
        "<p>{% if many %}{% translate 'Many' %}{% else %}One{% endif %}</p>",
        "<li {% if a %}class='b'>{{ a }}{% else %}class='c'>Nothing{% endif %}</li>",
        "<p>{% comment %}x{% endcomment %}y</p>",
        "<p>{{ generation.status }}</p>",
        "<a title='Close'></a>",
        "<a title='{{ count }} pictures'></a>",
        "<img alt='{% if image.title %}{{ image.title }}{% else %}Picture{% endif %}'>",
        "<img alt='{{ image.title|default:\"Picture\" }}'>",
        "<input placeholder=Name>",
        "<button aria-label='Close'></button>",
        "<button hx-confirm='Really?'>{% translate 'Empty' %}</button>",
        "<b data-text='{n} pictures'></b>",
        "<input type='submit' value='Send'>",
        "<meta name='description' content='A portal'>",
        "<meta property='og:title' content='Picture'>",
        "<optgroup label='Own'></optgroup>",
        "<svg><title>Chart</title></svg>",
        "{% include 'x.html' with label='credits' %}",
        "{% include 'x.html' with words='Nothing' %}",
        "{% element h1 words='so far' %}",
        "{% translate sentence %}",
    ],
)
def test_a_text_that_is_not_translated_is_found(written):
    assert templates.faults("<br>\n" + written)[0].line == 2


def test_a_part_that_stands_inside_of_a_tag_is_read_as_its_attributes():
    assert templates.faults('id="{{ pk }}"\ndata-price="1"') == []
    assert [fault.reason for fault in templates.faults('id="{{ pk }}"\ntitle="Close"')] == ["title"]


@pytest.mark.parametrize(
    "written",
    [
        "<h1>{% translate 'Pictures' %}</h1>{% trans 'One' %}",
        "{% blocktranslate count n=n %}one picture{% plural %}{{ n }} pictures{% endblocktranslate %}",
        "{# a note #}{% comment %}another one{% endcomment %}<!-- and one -->",
        "<p>{{ name|default:_('Nobody') }} – {{ at|date:'j F' }} &middot; {{ seconds }} s</p>",
        "<p class='quiet {% if a %}is-b{% endif %}' id='{{ name|default:\"none\" }}'>12 %</p>",
        "<input type='hidden' value='team'><button value='keep'></button>",
        "<meta name='viewport' content='width=device-width'><style>p { color: red }</style>",
        "<kbd>Esc</kbd> <code>make run</code> <pre translate='no'>email,credits</pre> sdweb",
        "<b data-field='seed' data-text='{% translate \"{n} pictures\" %}'></b>",
        "<li {% if a %}class='b'>{{ a }}{% else %}class='c'>{{ c }}{% endif %}</li>",
        "<li data-status='{{ generation.status }}'>{{ generation.get_status_display }}</li>",
        "<{% if a %}a href='b'{% else %}b{% endif %} class='c'></{% if a %}a{% else %}b{% endif %}>",
        "{% include 'x.html' with label=_('Name') kind='small' %}{% url 'jobs:create' 'a' %}",
    ],
)
def test_what_is_translated_or_for_machines_is_none(written):
    assert templates.faults(written) == []


def test_a_mail_is_read_as_plain_text():
    mail = partial(templates.faults, is_html=False)
    assert mail("{% autoescape off %}{% blocktranslate %}Hello {{ a }}{% endblocktranslate %}") == []
    assert [fault.text for fault in mail("{% translate 'Hello' %}\n\n<the team>")] == ["<the team>"]

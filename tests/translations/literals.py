"""Literals of Python code that people would read, and that no gettext is asked for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.translations import PROSE, VALUE, Fault, has_words, templates
from tests.translations.gettext_calls import GettextCalls, called

# What people read --------------------------------------------------------------------------------

# Arguments and attributes.
KEYWORDS = re.compile(
    "label|help_text|verbose_name|verbose_name_plural|empty_label|label_suffix|placeholder|title|heading|caption"
    "|legend|clause|hint|notice|sentence|reason|subject|body|message|(default_)?error_messages|invalid_message"
    "|choices|(add_)?fieldsets|help_texts|short_description|description|empty_value_display|site_(header|title)"
    "|index_title|STYLES|\\w*CHOICES"
)
# Entries of a template's context and of a widget's attributes.
ENTRIES = re.compile(
    f"{templates.READ.pattern}|message|heading|subtitle|error|problem|sentence|help_text|description"
)
# Which argument of a function is shown, or put on a form.
SHOWN_BY = [
    (re.compile("debug|info|success|warning|error|message_user|add_error"), 1),
    (re.compile("add_message"), 2),
    (re.compile("ValidationError|PermissionDenied|EmailMessage|mail_admins|send_mail"), 0),
    (re.compile("HttpResponse(BadRequest|Forbidden|NotFound|ServerError|Gone)?"), 0),
    (re.compile("InvalidValue|Busy|Unknown|Refused|Unavailable|ValueError"), 0),  # of providers
    (re.compile("Model|_sd3"), 2),  # of the catalogue; what comes before are names
    (re.compile(r"models\.(?!OneToOne|ManyToMany)\w+Field"), 0),
]
HTML = {"format_html": 0, "format_html_join": 1, "mark_safe": 0, "SafeString": 0}

# What people do not read on a page ---------------------------------------------------------------

LOGS = {"log", "logger", "logging", "warnings"}
# Exceptions for programmers and operators, in a log or at a terminal: of Python, of Django, of our processes.
FOR_OPERATORS = (
    "RuntimeError|TypeError|OSError|TimeoutError|AssertionError|NotImplementedError|ArgumentTypeError|SystemExit"
    "|ImproperlyConfigured|TransactionManagementError|CommandError|MissingTool|StartError|NotReady"
    "|FormParserError|MalformedForm|TooManyParts|InvalidImage|TooManyPixels|InvalidSvg|NotSvg|SvgOutOfBounds"
)
# Calls for logs, patterns, SQL, settings, /readyz, triggers, hashes, metrics, command lines, programs; and
# names of what is guarded, which stand in the log and are quoted from there.
FOR_MACHINES = re.compile(
    f"{FOR_OPERATORS}|debug|info|warning|error|exception|critical|compile|execute|date_format|required|Part"
    "|uuid5|_labelled|_gauge|(Counter|Gauge)MetricFamily|split"
    "|guarded|salted_hmac"
)
PROMPTS = {
    "FONTS",
    "EXAMPLES",
    "INSTRUCTIONS",
    "ALONE",
    "WORDS",
    "SETTINGS",
    "NEGATIVE",
    "CHINESE",
}  # names of fonts; sent to providers
HEADER = re.compile("[A-Z][a-z]+(-[A-Z][a-z]+)+")  # of HTTP; its value is for browsers
CODE = re.compile(
    # SQL, Lua, settings
    r"\s*\(?(SELECT|WITH|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|PRAGMA|UNION|DO|RAISE|NEW|json|fts5|local|bind)\b"
    "|-m |<[?]|<[a-z]+:"  # command lines, and XML with namespaces
    "|(?P<look>[a-z]+) (?P=look)-"  # classes of a tag or an icon
)
AS_THEY_ARE = re.compile(
    "ok\n|User-agent: .*|text/event-stream; .*|(event|): .*|WEBP"  # for programs, robots and scripts
    f"|prompt negative_prompt|({VALUE}|[a-z_])+( (model|operation))+|too_large"  # names of fields, and a code
    "|whole number|with(out)? an image|account/email/[a-z_]+"  # values and paths
    '|{"ultra": \\d+}|\\["cdn\\.[^]]*\\]'  # samples of JSON
    "|CFG scale|Style preset|Aspect ratio|Denoising strength|Negative prompt: .*"  # for programs, in a file
    "|the form has too many parts"  # for programmers
    "|Samsung Internet|Stability AI|(Midjourney|Niji|InsightFace)( [A-Z][a-z]+)*"  # names
    r"|(Recraft|Kling|Ideogram)( [A-Z0-9][\w.-]*)*|[124]K"  # names, and how many pixels
    "|Flux|[124] MP"  # a name, and how many pixels
    "|(request|content) moderated|task not found"  # words of an API
    "|--style raw"  # read by Midjourney
    "|OpenAI|Chat|GPT Image [0-9.]+( Sunburst| Flare| .chat.)?"  # names
    f"|{VALUE}\n\nAspect ratio: {VALUE}"  # a prompt
    "|Requested size|Output compression"  # for programs, in a file
    "|not a complete image .*|.* pixels are too many"  # for the log
    f"|{VALUE} of a .*"  # a prompt of a library that is filled with made-up pictures
    f"|exit code .*|{VALUE} is after {VALUE}[.]"  # for who started a command
    "|(Account|Hold|Entry|from) .*|All balances together .*|The daily totals .*",  # of audit_ledger
    re.DOTALL,
)


def faults(calls: GettextCalls) -> Iterator[Fault]:
    """The literals that people read where they stand, those that are sentences, and those of HTML."""
    classes = [node for node in calls.nodes if isinstance(node, ast.ClassDef)]
    app_configs = [each for each in classes if "AppConfig" in map(ast.unparse, each.bases)]
    labels_of_apps = {part for each in app_configs for part in each.body}  # names in code
    for node in calls.nodes:
        if isinstance(node, ast.Call):
            yield from _html(node)
        if node not in labels_of_apps:
            yield from (_fault(literal) for part in _read(node) for literal in _bare(part, calls))
    yield from _prose(calls.tree, calls)


def _fault(literal: ast.AST) -> Fault:
    return Fault(literal.lineno, "no gettext", _text(literal))


def _text(node: ast.AST | None) -> str:
    """What a literal says, with a stand-in for each value."""
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) for part in node.values)
    if isinstance(node, ast.Constant):
        value = node.value.decode("latin-1") if isinstance(node.value, bytes) else node.value
        return value if isinstance(value, str) else ""
    return VALUE


# By where they stand -----------------------------------------------------------------------------


def _read(node: ast.AST) -> Iterator[ast.AST | None]:
    """The parts of a call, a declaration, a dictionary or a `raise` that people read."""
    if isinstance(node, ast.keyword) and KEYWORDS.fullmatch(node.arg or ""):
        yield from _told(node.arg or "", node.value)
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            name = getattr(target, "id", getattr(target, "attr", ""))
            if KEYWORDS.fullmatch(name) or ENTRIES.fullmatch(_key(target)):
                yield from _told(name, node.value)
    elif isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        yield from (value for key, value in pairs if ENTRIES.fullmatch(_text(key)))
    elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        if not re.fullmatch(FOR_OPERATORS, called(node.exc)):
            yield from node.exc.args
    elif isinstance(node, ast.Call):
        yield from _handed(node)


def _told(name: str, value: ast.AST | None) -> Iterator[ast.AST | None]:
    """Of pairs for choices and for fieldsets the part that people read; else all."""
    index = 0 if name.endswith("fieldsets") else -1 if name.lower().endswith("choices") else None
    pairs = getattr(value, "elts", []) if index is not None else []
    yield from (pair.elts[index] for pair in pairs if isinstance(pair, ast.Tuple))
    if not pairs:
        yield value


def _handed(node: ast.Call) -> Iterator[ast.AST]:
    """What people read of the arguments of a call."""
    owner = ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) else ""
    for names, index in SHOWN_BY:
        is_it = names.fullmatch(called(node)) or names.fullmatch(f"{owner}.{called(node)}")
        if is_it and owner not in LOGS and index < len(node.args):
            yield node.args[index]


def _bare(node: ast.AST | None, calls: GettextCalls) -> Iterator[ast.AST]:
    """The literals with words of an expression whose value people read."""
    if node is None or node in calls:
        return
    if isinstance(node, ast.Constant | ast.JoinedStr):
        if has_words(_text(node)) and not AS_THEY_ARE.fullmatch(_text(node)):
            yield node
        return
    for part in _parts(node):
        yield from _bare(part, calls)


def _parts(node: ast.AST) -> list[ast.AST]:
    """The expressions of which one, or all, become the value of this one."""
    if isinstance(node, ast.Call):
        hands_on = called(node) in {
            "str",
            "capfirst",
            "format",
            "join",
            "lazy",
            "replace",
            "MappingProxyType",
            "dict",
            "tuple",
        }
        return [node.func, *node.args] if hands_on else [node.func]
    names = {
        ast.IfExp: ("body", "orelse"),
        ast.BinOp: ("left", "right"),
        ast.Lambda: ("body",),
        ast.ListComp: ("elt",),
        ast.GeneratorExp: ("elt",),
    }.get(type(node), ("value", "values", "elts"))
    if isinstance(node, ast.Subscript):
        return []
    found: list[ast.AST] = []
    for name in names:
        part = getattr(node, name, None)
        found += part if isinstance(part, list) else [part] if part else []
    return found


# By what they say --------------------------------------------------------------------------------


def _prose(node: ast.AST, calls: GettextCalls) -> Iterator[Fault]:
    """Two words with a space between them are for people, wherever they stand; but no docstring is."""
    is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    if node in calls or is_docstring or _is_for_machines(node):
        return
    if isinstance(node, ast.Constant | ast.JoinedStr):
        text = _text(node)
        if PROSE.search(text) and not CODE.match(text) and not AS_THEY_ARE.fullmatch(text):
            yield _fault(node)
        return
    for name, part in ast.iter_fields(node):
        if name not in {"annotation", "returns", "keys", "slice"}:
            for each in part if isinstance(part, list) else [part]:
                if isinstance(each, ast.AST):
                    yield from _prose(each, calls)


def _is_for_machines(node: ast.AST) -> bool:
    """Whether no sentence in it is for people: a call, headers of an answer, a constant of prompts."""
    if isinstance(node, ast.Dict):
        return any(HEADER.fullmatch(_text(key)) for key in node.keys)
    if isinstance(node, ast.Call):
        first = node.args[0] if node.args else None
        is_logged = (
            isinstance(first, ast.Attribute) and ast.unparse(first.value) in LOGS
        )  # partial(log.info, …)
        return is_logged or called(node) in HTML or bool(FOR_MACHINES.fullmatch(called(node)))
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        parts = [part for target in targets for part in ast.walk(target)]
        return any(getattr(each, "id", "") in PROMPTS or HEADER.fullmatch(_key(each)) for each in parts)
    return False


def _key(target: ast.AST) -> str:
    """The key of a dictionary or of an answer that is assigned to."""
    return _text(target.slice) if isinstance(target, ast.Subscript) else ""


def _html(node: ast.Call) -> Iterator[Fault]:
    """HTML in code is read like a template."""
    index = HTML.get(called(node), len(node.args))
    html = _text(node.args[index]).replace("{}", VALUE) if index < len(node.args) else ""
    for fault in templates.faults(html) if "<" in html else ():
        yield Fault(node.lineno, f"no gettext in HTML ({fault.reason})", fault.text)

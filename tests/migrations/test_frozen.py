"""A migration means for ever what it meant when it was written, so it imports nothing that still changes."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.writer import MigrationWriter

ALLOWED = sys.stdlib_module_names | {"django", "uuid6"}
OURS = [each for each in apps.get_app_configs() if each.name.startswith("generations.")]
FOLDERS = [Path(each.path, "migrations") for each in OURS if Path(each.path, "migrations").is_dir()]
FILES = sorted(file for folder in FOLDERS for file in folder.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parts[-3]}-{file.stem}")
def test_a_migration_imports_no_code_of_ours_but_what_is_frozen_beside_it(file: Path) -> None:
    tree = ast.parse(file.read_text())
    wrong = [name for node in ast.walk(tree) for name in imported(node) if not allowed(name)]
    assert wrong == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parts[-3]}-{file.stem}")
def test_a_migration_names_no_module_of_ours(file: Path) -> None:
    """As import_string, apps.get_app_config or a validator given by its path would."""
    texts = [node.value for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Constant)]
    wrong = [text for text in texts if isinstance(text, str) and text.startswith(("generations.", "sdweb."))]
    assert wrong == []


def test_a_field_of_ours_is_written_into_a_migration_without_a_module_of_ours() -> None:
    """What makemigrations would write tomorrow: a default, a validator or a field class by its path."""
    wrong = []
    for model in (model for config in OURS for model in config.get_models()):
        for field in model._meta.local_fields:
            text, imports = MigrationWriter.serialize(field)
            wrong += [text for line in imports if "generations" in line or "sdweb" in line]
    assert wrong == []


def test_every_migration_of_ours_is_looked_at() -> None:
    labels = {config.label for config in OURS}
    written = {name for label, name in MigrationLoader(None).disk_migrations if label in labels}
    assert written
    assert written <= {file.stem for file in FILES}


def imported(node: ast.AST) -> list[str]:
    """The modules that a statement imports; one beside it begins with a dot."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{'.' * node.level}{node.module or ''}"]
    return []


def allowed(name: str) -> bool:
    """Whether the module keeps its meaning: the library, Django, or frozen beside the migration."""
    return name.startswith("._") or name.partition(".")[0] in ALLOWED

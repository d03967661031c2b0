"""What a backup, or the place of a restore, lacks is said; and no other file is taken for a picture."""

from __future__ import annotations

import base64
import json

from generations.library.storage import client as storage_client


def test_keys_that_cannot_be_decrypted_are_said(filled, folder, run, elsewhere, settings):
    run("backup", folder)
    settings.ENCRYPTION_KEYS = [base64.urlsafe_b64encode(bytes(32)).decode()]
    settings.SECRET_KEY = "another one, of another machine, 0123456789 0123456789"
    with elsewhere():
        said = run("restore", folder, expected=1)
        assert "Keys of providers: 0 of 1 can be read." in said
        assert "sandbox: The provider's key was encrypted with a key that ENCRYPTION_KEYS lacks" in said
        assert "SECRET_KEY is not the one of the backup" in said


def test_a_damaged_picture_is_said_and_the_rest_restored(filled, folder, run, elsewhere):
    run("backup", folder)
    (folder / "objects" / filled[1].key).write_bytes(b"something else")
    (folder / "objects" / filled[2].key).unlink()
    with elsewhere():
        said = run("restore", folder, expected=1)
        assert f"wrong sha256 in the backup: {filled[1].key}" in said
        assert f"missing in the backup: {filled[2].key}" in said
        assert "2 stored" in said
        assert "Ledger: exact" in said
        assert storage_client.exists(filled[0].key)


def test_what_was_missing_before_is_no_fault_of_the_backup(filled, folder, run, elsewhere):
    storage_client.remove(filled[0].key)
    run("backup", folder, expected=1)
    with elsewhere():
        said = run("restore", folder)
        assert f"missing: {filled[0].key}" in said


def test_a_manifest_leads_to_no_file_outside_its_folder(filled, folder, run, elsewhere, tmp_path):
    run("backup", folder)
    [listed] = folder.glob("objects-*.jsonl")
    (tmp_path / "secret").write_bytes(b"of this machine")
    line = json.loads(listed.read_text().splitlines()[0]) | {"key": "images/../../../../secret"}
    listed.write_text(json.dumps(line) + "\n")
    with elsewhere():
        assert "cannot be called" in run("restore", folder, expected=1)

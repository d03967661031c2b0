"""Each mutant can be applied to the code as it is, and the test that must notice it is there."""

from tests.mutants.__main__ import ROOT, read


def test_every_mutant_fits_the_code_and_names_a_test():
    mutants = [mutant for room in read().values() for mutant in room]
    assert len(mutants) >= 40
    assert [misfit for mutant in mutants if (misfit := mutant.misfit(ROOT))] == []
    missing = []
    for mutant in mutants:
        file, _, name = mutant.caught_by.partition("::")
        path = ROOT / file
        if not path.is_file() or f"def {name.partition('[')[0]}(" not in path.read_text():
            missing.append(mutant.caught_by)
    assert missing == []

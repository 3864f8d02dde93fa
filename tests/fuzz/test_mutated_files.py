"""Damaged files: a short part of the campaign, in a process whose death would be seen."""

import json
import time
from pathlib import Path

import pytest

from tests.fuzz.campaign import Campaign, run_campaign
from tests.fuzz.case import check_path, write_case
from tests.fuzz.mutations import mutate
from tests.fuzz.seeds import Kind, load_seeds
from tests.fuzz.worker import run_cases
from tests.support.copies import start_copy

pytestmark = pytest.mark.usefixtures("lasting_decoders")

N_SHORT, STEP, N_LONG = 11, 5, 672
"""A damaged copy of every fifth seed, and twelve of every one; `make fuzz` makes as many as fit a minute."""


def _check(campaign: Campaign, cases: int) -> None:
    assert not campaign.faults, "\n".join(campaign.faults)
    assert campaign.n_cases == cases
    assert campaign.n_rows >= cases


def test_every_damaged_file_becomes_a_row_and_none_crashes_or_hangs(tmp_path: Path) -> None:
    """In a copy of this process, which has the seeds already."""
    assert 0 <= len(load_seeds()) - N_SHORT * STEP < STEP
    told = tmp_path / "told.jsonl"

    def run() -> int:
        with told.open("w") as said:
            run_cases(tmp_path, 0, STEP, N_SHORT, said=said)
        return 0

    code = start_copy(run).wait()
    messages = [json.loads(line) for line in told.read_text().splitlines()]
    assert code == 0, f"the process ended with {code} in {messages[-1:]}"
    campaign = Campaign()
    for message in messages:
        if "n_rows" in message:
            campaign.add(message)
    _check(campaign, N_SHORT)


@pytest.mark.slow
def test_hundreds_of_damaged_files_become_rows(tmp_path: Path) -> None:
    """Its twin is the one before: a copy of every fifth seed, and a copy of this process."""
    deadline = time.monotonic() + 3600
    _check(run_campaign(tmp_path, first=0, cases=N_LONG, jobs=1, deadline=deadline), N_LONG)


def test_every_seed_is_a_row_before_it_is_damaged(tmp_path: Path, tiny_bundle: Path) -> None:
    for number, seed in enumerate(load_seeds()):
        path = tmp_path / f"intact-{number}"
        path.write_bytes(seed.data)
        assert check_path(path, tiny_bundle).faults == (), seed.name


def test_the_same_number_makes_the_same_damage() -> None:
    for seed in load_seeds():
        assert mutate(seed, 7) == mutate(seed, 7)
        assert any(mutate(seed, number) != seed.data for number in range(5))


def test_a_case_may_lie_among_the_intact_files_of_its_series(tmp_path: Path) -> None:
    folder = write_case(0, tmp_path / "case")
    assert sorted(path.name for path in folder.iterdir()) == ["damaged", "sibling-0", "sibling-1"]


def test_a_case_may_lie_beside_a_damaged_sidecar(tmp_path: Path) -> None:
    number = next(n for n, seed in enumerate(load_seeds()) if seed.kind is Kind.COMPRESSED_NIFTI)
    path = write_case(number, tmp_path / "case")
    assert sorted(other.name for other in path.parent.iterdir()) == ["damaged.json", "damaged.nii.gz"]


def test_seeds_are_of_every_kind() -> None:
    # A sidecar lies beside a NIfTI; an Analyze header needs its image, so both come in a zip.
    beside_or_inside = {Kind.SIDECAR, Kind.ANALYZE}
    assert {seed.kind for seed in load_seeds()} == set(Kind) - beside_or_inside


def test_a_child_that_dies_or_hangs_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = "import json, os; print(json.dumps({'number': 3}), flush=True); os.abort()"
    monkeypatch.setattr("tests.fuzz.campaign.WORKER", ("-c", worker))
    campaign = run_campaign(tmp_path, first=3, cases=1, jobs=1, deadline=time.monotonic() + 60)
    assert len(campaign.faults) == 1
    assert campaign.faults[0].startswith("case 3: the process ended with -6")

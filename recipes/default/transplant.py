"""Slices after contrast that nobody scanned: pre-contrast slices with the enhancement of other patients.

Where a hospital has pre-contrast images alone, a network learns the hospital. What the agent brightens in a
slice of one patient, measured on pairs or seen by the network of `recipes.default.subtraction`, is given to a
slice of another whose head is much alike. That leaves traces, and traces must not mean post-contrast: every
slice is also given with a little of a third patient's enhancement, mirrored, taken from it. It stays
pre-contrast. What enhances at the base of the skull and in the posterior fossa, where fat is brighter than
any tumour, is given to every second slice.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom
from torch import nn

from gadoscope.labels import Label, Plane
from gadoscope.preparation.items import Item
from gadoscope.training.augmentation.strong.head import ALL_RIM
from gadoscope.training.tissues import find_air, find_near_air
from recipes.default.pairs import BRIGHTEST, SIDE, Picture, read_head, read_pairs, to_grey
from recipes.default.subtraction import MISPLACED
from recipes.default.unet import iter_seen, write_pair

INNER: Final = slice(SIDE // 5, 4 * SIDE // 5)
"""Of rows and columns: inside the scalp, which enhances in every slice."""
BASE: Final = np.s_[SIDE // 2 : 9 * SIDE // 10, SIDE // 10 : 9 * SIDE // 10]
"""Rows and columns of a sagittal or coronal slice that show the base of the skull and the posterior fossa."""
AT_BASE: Final = 0.5
"""How often the donor is one of the half whose enhancement lies there most."""
N_CANDIDATES = 24
"""Donors that are tried for a slice: the one whose head is most alike gives."""
COARSE = 1 / 8
"""Scale at which heads are compared."""
SMOOTH = 0.7
"""Pixels: what the scans' noise is averaged over."""
KEPT: Final = 0.03
"""Of white: less is noise, or the texture of the donor's brain."""
AMOUNT: Final = (0.9, 1.7)
RIM: Final = (0.0, 0.5)
"""How much brighter the outside of the head becomes; `benchmarks.scalp_enhancement` finds 0.41."""
LEAST_WHITE = 0.05
"""What is darker everywhere shows no head."""


@dataclass(frozen=True)
class Donor:
    """A head after contrast, as it is compared, and its enhancement, 0 to 1."""

    coarse: NDArray[np.float32]
    enhancement: Picture


Donors = Mapping[Plane, Sequence[Donor]]


def find_donors(paired: Sequence[Item], network: nn.Module, unpaired: Sequence[Item]) -> Donors:
    """Return by plane who gives: slices after contrast, as they are and mirrored, that enhance most.

    Parameters
    ----------
    paired
        Images of patients before and after contrast: there it is measured.
    network
        From `recipes.default.subtraction`.
    unpaired
        Images after contrast: there the network sees it.
    """
    donors: dict[Plane, list[Donor]] = defaultdict(list)
    for plane in Plane:
        for pair in read_pairs([item for item in paired if item.plane is plane]):
            donors[plane] += donors_of(pair.after, pair.after - pair.before)
    for item, head, enhancement in iter_seen(network, unpaired):
        donors[item.plane] += donors_of(head, enhancement)
    return {plane: keep_strongest(of_plane) for plane, of_plane in donors.items()}


def keep_strongest(donors: Sequence[Donor]) -> list[Donor]:
    """Return the half that enhances most: what shows no vessel has nothing to give."""
    n_kept = -(-len(donors) // 2)
    return sorted(donors, key=lambda donor: float(donor.enhancement[INNER, INNER].mean()))[-n_kept:]


def keep_of_base(donors: Sequence[Donor]) -> list[Donor]:
    """Return the half whose enhancement lies most at the base of the skull, by its share of the whole."""
    n_kept = -(-len(donors) // 2)
    return sorted(donors, key=_find_base_share)[-n_kept:]


def _find_base_share(donor: Donor) -> float:
    return float(donor.enhancement[BASE].sum() / max(float(donor.enhancement.sum()), LEAST_WHITE))


def donors_of(head: Picture, enhancement: Picture) -> Iterator[Donor]:
    """Yield a slice after contrast and what enhances in it, as they are and mirrored."""
    for step in (1, -1):
        mirrored = head[:, ::step]
        sparse = np.maximum(gaussian_filter(enhancement[:, ::step], SMOOTH) - KEPT, 0)
        yield Donor(shrink(mirrored), sparse.astype(np.float32))


def shrink(head: Picture) -> NDArray[np.float32]:
    """Return a head as it is compared with others: small, of mean 0 and norm 1; shape (n,)."""
    small = zoom(head, COARSE, order=1).ravel()
    small -= small.mean()
    norm = float(np.linalg.norm(small))
    return (small / norm if norm > 0 else small).astype(np.float32)


def simulate_enhanced(
    donors: Donors, items: Sequence[Item], *, folder: Path, source: str, seed: int
) -> list[Item]:
    """Write each slice before contrast with traces of subtraction, and with somebody's enhancement.

    Returns
    -------
    Their rows, of ``source`` and the same patient: the first labelled pre, the second post.
    """
    generator = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[Item] = []
    of_base = {plane: keep_of_base(of_plane) for plane, of_plane in donors.items()}
    for item in items:
        head = read_head(item)
        coarse, of_plane = shrink(head), donors[item.plane]
        giving = of_base[item.plane] if generator.random() < AT_BASE else of_plane
        simulated = {
            Label.PRE: take_traces(head, choose_donor(of_plane, coarse, generator).enhancement, generator),
            Label.POST: enhance(head, choose_donor(giving, coarse, generator).enhancement, generator),
        }
        rows += write_pair(item, simulated, folder, source=source)
    return rows


def choose_donor(
    donors: Sequence[Donor], coarse: NDArray[np.float32], generator: np.random.Generator
) -> Donor:
    """Return the donor whose head is most like one that was shrunk to ``coarse``, of a few drawn ones."""
    drawn = [donors[int(index)] for index in generator.integers(len(donors), size=N_CANDIDATES)]
    return max(drawn, key=lambda donor: float(donor.coarse @ coarse))


def take_traces(head: Picture, enhancement: Picture, generator: np.random.Generator) -> Picture:
    """Return a slice with a little of another patient's enhancement taken from it, mirrored."""
    share = np.float32(generator.uniform(*MISPLACED))
    traces: Picture = np.clip(head - share * enhancement[:, ::-1], 0, 1)
    return traces


def enhance(head: Picture, enhancement: Picture, generator: np.random.Generator) -> Picture:
    """Return a slice with another patient's enhancement, and with a brighter outside of the head."""
    air = find_air(to_grey(head))
    rim = np.minimum(find_near_air(air) / np.float32(ALL_RIM), 1)
    brighter = head * (1 + np.float32(generator.uniform(*RIM)) * rim)
    added = brighter + np.float32(generator.uniform(*AMOUNT)) * enhancement * (1 - air)
    shown = added[air < 1 / 2]
    white = float(np.percentile(shown, BRIGHTEST)) if shown.size else 1.0
    enhanced: Picture = np.clip(added / np.float32(max(white, LEAST_WHITE)), 0, 1)
    return enhanced

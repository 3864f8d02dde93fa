"""A labelled scan is found, opened, and asked for its slices: with pydicom and nibabel, so only for scans."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from gadoscope.errors import InputError, ManifestError, ReadError, RefusedError
from gadoscope.imaging.slices import SlicePolicy, choose_slices
from gadoscope.preparation.items import Item
from gadoscope.preparation.patients import name_patients
from gadoscope.preparation.places import check_labels, find_container, is_uid
from gadoscope.preparation.slices import ItemSlices, Stamp, name_slice, stamp_file
from gadoscope.reading.archives.places import open_place, place_of, source_of
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.formats import PREFIX_BYTES, Kind, find_kind
from gadoscope.reading.nifti.names import find_pair_image
from gadoscope.reading.os_errors import explain_os_error, explain_stumble
from gadoscope.reading.regular_files import open_regular_file
from gadoscope.reading.series import Facts, ImageSeries
from gadoscope.scans.admission import admit_series, admit_volume, check_extent
from gadoscope.scans.beside import look_beside, open_beside
from gadoscope.scans.contents import Contents, DicomSeries, look_below, read_alone
from gadoscope.scans.instances import digest_instances
from gadoscope.wording import name_some, short_name, show_path

Place = DicomSeries | Source
"""Where a scan lies: the instances of a series, or the one file of a volume."""


def open_scan(item: Item) -> "OpenScan":
    """Return the scan of an item, open; nothing is decoded yet.

    Raises
    ------
    InputError
        If there is none, several are there, or the system cannot read it.
    """
    try:
        return OpenScan(item, item.found or _find_alone(item.path))
    except OSError as error:
        raise explain_os_error(error) from error


def find_scans(items: tuple[Item, ...], table: Path) -> tuple[tuple[Item, ...], tuple[str, ...]]:
    """Return the rows, those of folders and archives with the one series that each means, and notices.

    Each folder is looked through once, whatever the number of its rows. Where a row names no subject, the
    header of its DICOM series may: `name_patients`.

    Raises
    ------
    ManifestError
        If a row means no series or several, or two rows mean one series.
    """
    looked: dict[Path, Contents] = {}

    def look(item: Item) -> Item:
        holder, uid = find_container(item.path) or (item.path, "")
        if not (holder.is_dir() or is_uid(uid)):
            return item  # one file, or a member: whatever it is shows when it is read
        if holder not in looked:
            looked[holder] = look_below(holder)
        try:
            return replace(item, found=pick(looked[holder], uid))
        except InputError as error:
            if error is looked[holder].error:  # it is told of the row, as of every file that cannot be read
                return item
            raise ManifestError(f"{table}: {show_path(holder)}: {error.sentence}") from error

    found = tuple(map(look, items))
    firsts = [replace(item, path=_first_path(item)) for item in found]
    check_labels(firsts, table)
    twice = [path for path, n in Counter(item.path for item in firsts).items() if n > 1]
    if twice:
        raise ManifestError(
            f"{table} lists {len(twice)} series by two names each ({name_some(twice)}); keep one row of each."
        )
    named, notices = name_patients(found)
    return named, (*_tell_left_out(found, looked), *notices)


def _tell_left_out(items: Sequence[Item], looked: Mapping[Path, Contents]) -> Iterator[str]:
    """Yield how many series lie beside those that were named by their UIDs."""
    inside = Counter(place[0] for item in items if (place := find_container(item.path)))
    for holder, n_named in inside.items():
        n_left = len(looked[holder].dicom) - n_named if holder in looked else 0
        if n_left > 0:
            yield (
                f"{n_left:,} of {n_left + n_named:,} DICOM series in {show_path(holder)} have no row in the "
                "table: they take no part."
            )


def _first_path(item: Item) -> Path:
    """Return a path that two rows have in common where they mean one series."""
    if item.found is None:
        return item.path
    return Path(str(item.found.first if isinstance(item.found, DicomSeries) else item.found))


def _find_alone(path: Path) -> Place:
    """Return the one scan that a path names."""
    inside = find_container(path)
    if inside is not None and inside[0].is_file():
        return Source(*inside)
    if inside is not None:
        return pick(look_below(inside[0]), inside[1])
    if path.is_file():
        with open_regular_file(path) as file:
            if find_kind(file.read(PREFIX_BYTES)) in (Kind.DICOM, Kind.NIFTI):
                return Source(path)
    return pick(look_below(path))


def pick(contents: Contents, uid: str = "") -> Place:
    """Return the one scan among some.

    Parameters
    ----------
    uid
        Its SeriesInstanceUID, where it was named.

    Raises
    ------
    InputError
        ``missing`` or ``several_series``, or why the one file that is there cannot be read.
    """
    found: list[Place] = [one for one in contents.dicom if not uid or one.uid == uid]
    if not uid:
        found += [source for source, _ in contents.volumes if source is not None]
    if len(found) == 1:
        return found[0]
    if found:
        firsts = [one.first if isinstance(one, DicomSeries) else one for one in found]
        which = f"have the SeriesInstanceUID {uid}" if uid else "are in this"
        raise RefusedError(
            "several_series",
            f"{len(found)} series {which}: {_show(firsts[0])} is of one and {_show(firsts[1])} of another; "
            "name one by its folder, or by its SeriesInstanceUID.",
        )
    if uid:
        raise ReadError("missing", f"no series here has the SeriesInstanceUID {uid}; check it.")
    raise contents.error or ReadError("missing", "there is no scan in this; name what holds one series.")


def _show(source: Source) -> str:
    return show_path(Path(short_name(str(source))))


class OpenScan:
    """A scan of a manifest, as `OpenItem`."""

    image = None

    def __init__(self, item: Item, place: Place) -> None:
        self.item, self._place = item, place

    @property
    def form(self) -> str:
        """Return DICOM or NIfTI."""
        return "NIfTI" if self._is_volume() else "DICOM"

    def _is_volume(self) -> bool:
        if isinstance(self._place, DicomSeries):
            return False
        with self._place.open() as file:
            return find_kind(file.read(PREFIX_BYTES)) is Kind.NIFTI

    def digest(self) -> str:
        """Return a SHA-256 of the headers of a series, or of the bytes of a volume."""
        if isinstance(self._place, DicomSeries):
            return digest_instances(self._place.list_instances())
        digest = hashlib.sha256()
        for source in self._list_files(self._place):
            with open_place(place_of(source)) as file:
                while block := file.read(2**18):
                    digest.update(block)
        return digest.hexdigest()

    def stamp(self) -> Stamp:
        """Return the size of all files, and when the youngest of them changed."""
        place = self._place
        if isinstance(place, DicomSeries):
            paths = {source.on_disk for _, source in place.list_instances()}
        else:
            paths = {source.on_disk for source in self._list_files(place)}
        sizes, *times = zip(*map(stamp_file, paths), strict=True)
        return sum(sizes), max(times[0]), max(times[1])

    @staticmethod
    def _list_files(source: Source) -> Sequence[Source]:
        """Return the file of a volume, and of a pair the one with its voxels."""
        pair = find_pair_image(place_of(source))
        return [source] if pair is None else [source, source_of(pair)]

    def read(self, policy: SlicePolicy) -> ItemSlices:
        """Decode the slices that ``policy`` asks for; errors as `read_item`."""
        try:
            return self._read(policy)
        except InputError:
            raise
        except OSError as error:
            raise explain_os_error(error) from error
        except Exception as error:
            raise explain_stumble(error) from error

    def _read(self, policy: SlicePolicy) -> ItemSlices:
        open_series, facts = self._prepare()
        series, warnings = admit_series(open_series, facts)
        if len(series.volumes) > 1:
            raise RefusedError(
                "several_volumes",
                f"it holds {len(series.volumes)} volumes, as from before, while and after the agent arrives, "
                "and one label cannot be of all; write each volume as a NIfTI of its own, with "
                "nibabel.four_to_three say, and label these, or take its row out.",
            )
        volume = series.volumes[0]
        own = {**(series.facts or {}), **volume.facts}
        admitted, of_volume = admit_volume(volume, own)
        chosen = choose_slices(check_extent(admitted, own), policy)
        said = (*series.warnings, *warnings, *volume.warnings, *of_volume, *chosen.warnings)
        return ItemSlices(
            tuple(name_slice(self.item, n, chosen.plane) for n in range(1, len(chosen.pixels) + 1)),
            chosen.pixels,
            tuple(dict.fromkeys(said)),
        )

    def _prepare(self) -> tuple[Callable[[], ImageSeries], Facts | None]:
        """Return what opens the series, and its header."""
        place = self._place
        if isinstance(place, DicomSeries):
            return place.prepare()
        if not self._is_volume():
            return read_alone(place).prepare()
        beside = look_beside(place_of(place))
        return partial(open_beside, place, beside), beside.facts

"""What a manifest's further columns say of an image, in words that subgroups can be made of."""

from collections.abc import Mapping

from gadoscope.preparation.series import find_series

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "vendor": ("vendor", "manufacturer"),
    "field_strength": ("field_strength_t", "field_strength", "magneticfieldstrength"),
    "sex": ("sex", "patientsex", "gender"),
    "age_band": ("age", "age_years", "patientage"),
}
"""Attribute to the names that its column may have, in the order in which they are looked for."""

VENDORS = {"SIEMENS": "Siemens", "GE": "GE", "PHILIPS": "Philips", "TOSHIBA": "Canon", "CANON": "Canon"}
"""The first word of what scanners write, in capitals; Canon took over Toshiba's scanners in 2018."""
SEXES = {"f": "female", "female": "female", "m": "male", "male": "male"}
BAND_YEARS, OLDEST_BAND = 20, 80
"""Ages are only ever kept in bands: nobody is found again by one."""
HIGHEST_FIELD = 12.0
"""Tesla, of any scanner for people; more is another unit."""


def read_attributes(extra: Mapping[str, str]) -> dict[str, str]:
    """Return series, vendor, field strength, sex and age band; empty where a column is missing or odd.

    Parameters
    ----------
    extra
        An item's further columns, names in lower case.
    """
    found = {
        name: next((extra[column].strip() for column in columns if extra.get(column)), "")
        for name, columns in COLUMNS.items()
    }
    return {
        "series": find_series(extra),
        "vendor": _name_vendor(found["vendor"]),
        "field_strength": _name_field(found["field_strength"]),
        "sex": SEXES.get(found["sex"].casefold(), ""),
        "age_band": _find_band(found["age_band"]),
    }


def _name_vendor(text: str) -> str:
    first = text.upper().split()[0] if text else ""
    return VENDORS.get(first, text)


def _name_field(text: str) -> str:
    """Return ``1.5 T``: scanners write 1.494 or 2.89 for what everybody calls 1.5 and 3."""
    tesla = _to_number(text.upper().removesuffix("T").strip())
    if tesla is None or not 0 < tesla <= HIGHEST_FIELD:
        return ""
    return f"{round(2 * tesla) / 2:g} T" if tesla >= 1 else f"{round(tesla, 1):g} T"


def _find_band(text: str) -> str:
    """Return the band of an age in years; DICOM writes ``063Y``, and months for infants."""
    if text[-1:].upper() in ("M", "W", "D"):
        return f"<{BAND_YEARS}"
    years = _to_number(text.upper().removesuffix("Y"))
    if years is None or years < 0:
        return ""
    if years >= OLDEST_BAND:
        return f"{OLDEST_BAND}+"
    first = int(years) // BAND_YEARS * BAND_YEARS
    return f"{first}-{first + BAND_YEARS - 1}" if first else f"<{BAND_YEARS}"


def _to_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None  # NaN is not below it either

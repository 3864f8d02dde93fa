"""The codec: what is written is read back, nothing is guessed, and what fails is named by where it stands."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from gadoscope.labels import Plane
from gadoscope.misfits import MisfitError, MissingKeysError, UnknownKeysError, WrongValueError, find_near
from gadoscope.records import beside, from_plain, list_paths, to_plain, unwritten, where_given, written_as


@dataclass(frozen=True, kw_only=True)
class Method:
    name: str
    numbers: Mapping[str, float] = field(default_factory=dict, metadata=beside())


@dataclass(frozen=True, kw_only=True)
class Scale:
    cut: float = field(metadata=written_as("threshold"))
    method: Method


@dataclass(frozen=True, kw_only=True)
class Optimiser:
    learning_rate: float = 5e-4
    steps: int = 1
    schedule: Literal["constant", "cosine"] = "constant"
    is_on: bool = True

    def __post_init__(self) -> None:
        if self.steps < 0:
            raise ValueError(f"steps = {self.steps}; expected 0 or more.")


@dataclass(frozen=True, kw_only=True)
class Whole:
    name: str
    optimiser: Optimiser = field(default_factory=Optimiser)
    planes: tuple[Plane, ...] = ()
    shares: Mapping[str, float] = field(default_factory=dict)
    place: Path = Path("a/b")
    note: str | None = None
    free: Mapping[str, Any] = field(default_factory=dict)
    of_slice: Scale = field(metadata=beside())
    of_series: Scale | None = field(default=None, metadata=beside("series_"))


SCALE = Scale(cut=0.5, method=Method(name="beta", numbers={"slope": 2.0}))
WHOLE = Whole(
    name="a",
    planes=(Plane.AXIAL, Plane.SAGITTAL),
    shares={"ixi": 0.25},
    free={"any": [1, {"thing": None}]},
    of_slice=SCALE,
)
PLAIN = {
    "name": "a",
    "optimiser": {"learning_rate": 5e-4, "steps": 1, "schedule": "constant", "is_on": True},
    "planes": ["axial", "sagittal"],
    "shares": {"ixi": 0.25},
    "place": "a/b",
    "note": None,
    "free": {"any": [1, {"thing": None}]},
    "threshold": 0.5,
    "method": {"name": "beta", "slope": 2.0},
    "series_threshold": None,
    "series_method": None,
}


def _change(path: str, value: object) -> dict[str, Any]:
    changed: dict[str, Any] = json.loads(json.dumps(PLAIN))
    *objects, key = path.split("/")
    inner = changed
    for name in objects:
        inner = inner[name]
    inner[key] = value
    return changed


def test_a_record_becomes_plain_values_in_the_order_of_its_fields() -> None:
    assert to_plain(WHOLE) == PLAIN
    assert list(to_plain(WHOLE)) == list(PLAIN)
    assert type(to_plain(WHOLE)["planes"][0]) is str


def test_plain_values_become_the_record_that_was_written() -> None:
    again = from_plain(Whole, json.loads(json.dumps(to_plain(WHOLE))))
    assert again == WHOLE
    both = Whole(name="b", of_slice=SCALE, of_series=SCALE)
    assert from_plain(Whole, to_plain(both)) == both


def test_a_whole_number_may_stand_for_a_number_and_becomes_one() -> None:
    rate = from_plain(Whole, _change("optimiser/learning_rate", 1)).optimiser.learning_rate
    assert (rate, type(rate)) == (1.0, float)


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("name", 1, "name is 1; expected a text."),
        ("name", None, "name is None; expected a text."),
        ("note", 1, "note is 1; expected a text."),
        ("optimiser/steps", 1.0, "optimiser.steps is 1.0; expected a whole number."),
        ("optimiser/steps", True, "optimiser.steps is True; expected a whole number."),
        ("optimiser/steps", "1", "optimiser.steps is '1'; expected a whole number."),
        ("optimiser/learning_rate", False, "optimiser.learning_rate is False; expected a number."),
        ("optimiser/learning_rate", 10**400, "0 ...; expected a number."),
        ("optimiser/is_on", 1, "optimiser.is_on is 1; expected true or false."),
        (
            "optimiser/schedule",
            "cosinus",
            "optimiser.schedule is 'cosinus'; expected one of constant, cosine (did you mean cosine?).",
        ),
        ("optimiser", 3, "optimiser is 3; expected an object."),
        ("planes", "axial", "planes is 'axial'; expected a list."),
        ("planes", ["axial", 3], "planes[1] is 3; expected one of sagittal, axial, coronal, unknown."),
        ("planes", ["axail"], "planes[0] is 'axail'; expected one of sagittal, axial, coronal, unknown (did"),
        ("shares", [0.1], "shares is [0.1]; expected an object."),
        ("shares/ixi", "much", "shares.ixi is 'much'; expected a number."),
        ("place", 3, "place is 3; expected a path."),
        ("method/slope", True, "method.slope is True; expected a number."),
        ("series_threshold", 0.5, "series_threshold and series_method go together: all of them, or none."),
        ("optimiser/steps", -1, "steps = -1; expected 0 or more."),
        ("optimiser/step", 1, "optimiser has unknown keys: step."),
    ],
)
def test_a_value_that_does_not_fit_is_named_by_its_path(path: str, value: object, sentence: str) -> None:
    with pytest.raises(MisfitError) as caught:
        from_plain(Whole, _change(path, value))
    said = str(caught.value)
    assert sentence in said
    assert len(said) < 500


def test_what_a_dataclass_refuses_is_told_with_the_object_that_it_is() -> None:
    with pytest.raises(MisfitError) as caught:
        from_plain(Whole, _change("optimiser/steps", -1))
    assert caught.value.where == "optimiser"


@pytest.mark.parametrize("path", ["name", "optimiser/steps", "note", "method/name", "series_threshold"])
def test_every_missing_key_is_named_where_all_must_stand(path: str) -> None:
    changed = _change(path, None)
    *objects, key = path.split("/")
    del (changed[objects[0]] if objects else changed)[key]
    with pytest.raises(MissingKeysError) as caught:
        from_plain(Whole, changed)
    assert (caught.value.where, caught.value.keys) == ("".join(objects), (key,))


def test_what_has_a_default_may_be_left_out_where_that_is_agreed() -> None:
    least = {"name": "a", "threshold": 0.5, "method": {"name": "none"}, "optimiser": {"steps": 2}}
    read = from_plain(Whole, least, partial=True)
    assert (read.optimiser, read.of_series) == (Optimiser(steps=2), None)
    with pytest.raises(MissingKeysError, match="it lacks method, name"):
        from_plain(Whole, {"threshold": 0.5}, partial=True)


def test_an_unknown_key_comes_with_those_that_stand_there() -> None:
    with pytest.raises(UnknownKeysError) as caught:
        from_plain(Whole, {**PLAIN, "optimizer": {}, "x": 1})
    assert (caught.value.where, caught.value.keys) == ("", ("optimizer", "x"))
    assert find_near("optimizer", caught.value.known) == "optimiser"


@pytest.mark.parametrize("plain", [None, [], "text", 3, [["name", "a"]]])
def test_what_is_no_object_is_no_record(plain: object) -> None:
    with pytest.raises(WrongValueError, match="expected an object"):
        from_plain(Whole, plain)


def test_megabytes_are_neither_compared_nor_quoted_whole() -> None:
    long = "k" * 5_000_000
    for plain in ({**PLAIN, long: 1}, _change("name", [long]), _change("planes", [long])):
        with pytest.raises(MisfitError) as caught:
            from_plain(Whole, plain)
        assert len(str(caught.value)) < 500
    assert find_near(long, ["k" * 80]) is None


@pytest.mark.parametrize(
    ("word", "near"), [("Sagital", "sagittal"), ("learning-rat", "learning_rate"), ("x", None), (3, None)]
)
def test_the_nearest_known_word_is_found_whatever_its_case(word: object, near: str | None) -> None:
    assert find_near(word, ["sagittal", "axial", "learning_rate"]) == near


def test_the_path_of_every_value_can_be_listed() -> None:
    names = list(list_paths(Whole))
    assert names[:4] == ["name", "optimiser", "optimiser.learning_rate", "optimiser.steps"]
    assert {"threshold", "method.name", "series_method.name", "place"} <= set(names)


@dataclass(frozen=True)
class _Newer:
    name: str
    kinds: tuple[str, ...] = field(default=(), metadata=where_given())
    found: Any = field(default=None, metadata=unwritten())


def test_a_field_that_older_files_lack_is_written_where_it_says_something_alone() -> None:
    assert to_plain(_Newer("a")) == {"name": "a"}
    assert to_plain(_Newer("a", ("t2",))) == {"name": "a", "kinds": ["t2"]}
    for record in (_Newer("a"), _Newer("a", ("t2",))):
        assert from_plain(_Newer, to_plain(record)) == record


def test_what_is_never_written_is_no_known_key_either() -> None:
    assert to_plain(_Newer("a", found=object())) == {"name": "a"}
    with pytest.raises(MisfitError, match="found"):
        from_plain(_Newer, {"name": "a", "found": 1})

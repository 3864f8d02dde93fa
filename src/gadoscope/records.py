"""Dataclasses from and to plain values, as JSON, TOML and tables hold them: strictly.

The one codec of whatever is written and read again: a bundle's metadata, a config, the rows of a manifest and
of the journal. A field may be of ``bool``, ``int``, ``float``, ``str``, ``Path``, an enumeration, a
``Literal``, a dataclass, ``tuple[X, ...]``, ``Mapping[str, X]``, ``Any``, or one of these or ``None``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from gadoscope.misfits import MisfitError, MissingKeysError, UnknownKeysError, WrongValueError, cut_short

Data = dict[str, Any]
"""An object of plain values, as JSON has it."""
Record = TypeVar("Record")

_BESIDE, _KEY, _UNWRITTEN, _WHERE_GIVEN = "beside", "key", "unwritten", "where_given"


def beside(prefix: str = "") -> Mapping[str, str]:
    """Return the metadata of a field whose own keys stand beside the others, not in an object of their own.

    Of a dataclass with ``prefix`` before each; if it may be None, all of its keys are None together. Of a
    mapping: every key that no other field has.
    """
    return {_BESIDE: prefix}


def written_as(key: str) -> Mapping[str, str]:
    """Return the metadata of a field that has another name among plain values."""
    return {_KEY: key}


def unwritten() -> Mapping[str, bool]:
    """Return the metadata of a field that is neither written nor read; it needs a default."""
    return {_UNWRITTEN: True}


def where_given() -> Mapping[str, bool]:
    """Return the metadata of a field that is written where it is not its default: older files lack it."""
    return {_WHERE_GIVEN: True}


def to_plain(value: Any) -> Any:
    """Return a record, or what one may hold, as plain values; `from_plain` reads them back."""
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return dict(_iter_plain(value, type(value), ""))
    if isinstance(value, Mapping):
        return {str(key): to_plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def from_plain(kind: type[Record], plain: object, *, partial: bool = False) -> Record:
    """Return the record that plain values describe.

    Parameters
    ----------
    kind
        Its dataclass; what that refuses with a ValueError is a misfit too.
    plain
        A mapping. Nothing is converted but a whole number where any number fits, a list to a tuple, and a
        text to the member of an enumeration or to a path. ``bool`` is no number.
    partial
        Whether fields that have a default may be missing.

    Raises
    ------
    MisfitError
        MissingKeysError, UnknownKeysError or WrongValueError where it can say so, with where.
    """
    record: Record = _read_object(kind, plain, "", partial)
    return record


def list_paths(kind: Any, prefix: str = "") -> Iterator[str]:
    """Yield the path of every value of a record, and of every object in it."""
    for key, hint in _list_keys(kind).items():
        yield prefix + key
        inner = _strip_none(hint)
        if _is_object(inner):
            yield from list_paths(inner, f"{prefix}{key}.")


class _Field(NamedTuple):
    name: str
    key: str
    hint: Any
    prefix: str | None
    """None of a field that has a key of its own."""
    is_required: bool
    default: Any
    """Of a field that is written only where it is another value; else `MISSING`."""


@cache
def _list_fields(kind: Any) -> tuple[_Field, ...]:
    hints = get_type_hints(kind)
    return tuple(
        _Field(
            name=one.name,
            key=one.metadata.get(_KEY, one.name),
            hint=hints[one.name],
            prefix=one.metadata.get(_BESIDE),
            is_required=one.default is MISSING and one.default_factory is MISSING,
            default=one.default if _WHERE_GIVEN in one.metadata else MISSING,
        )
        for one in fields(kind)
        if _UNWRITTEN not in one.metadata
    )


@cache
def _list_keys(kind: Any) -> Mapping[str, Any]:
    """Return the keys of an object, in order, and the type of each."""
    keys: dict[str, Any] = {}
    for one in _list_fields(kind):
        inner = _strip_none(one.hint)
        if one.prefix is None:
            keys[one.key] = one.hint
        elif _is_object(inner):
            keys |= {one.prefix + key: hint for key, hint in _list_keys(inner).items()}
    return keys


@cache
def _list_needed(kind: Any, *, partial: bool) -> frozenset[str]:
    """Return the keys that an object must have; with ``partial`` none that has a default."""
    keys: set[str] = set()
    for one in _list_fields(kind):
        inner = _strip_none(one.hint)
        if one.default is not MISSING or (partial and not one.is_required):
            continue
        if one.prefix is None:
            keys.add(one.key)
        elif _is_object(inner):
            keys |= {one.prefix + key for key in _list_needed(inner, partial=partial)}
    return frozenset(keys)


@cache
def _takes_others(kind: Any) -> bool:
    return any(one.prefix is not None and get_origin(one.hint) is Mapping for one in _list_fields(kind))


def _iter_plain(record: Any, kind: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for one in _list_fields(kind):
        value = None if record is None else getattr(record, one.name)
        if one.default is not MISSING and value == one.default:
            continue
        if one.prefix is None:
            yield prefix + one.key, to_plain(value)
        elif isinstance(value, Mapping):
            yield from to_plain(value).items()
        else:
            yield from _iter_plain(value, _strip_none(one.hint), prefix + one.prefix)


def _read_object(kind: Any, plain: object, where: str, partial: bool) -> Any:
    if not isinstance(plain, Mapping):
        raise WrongValueError(where, plain, kind)
    known = _list_keys(kind)
    unknown = [] if _takes_others(kind) else [key for key in plain if key not in known]
    if unknown:
        raise UnknownKeysError(where, map(str, unknown), known)
    missing = _list_needed(kind, partial=partial) - plain.keys()
    if missing:
        raise MissingKeysError(where, sorted(missing))
    return _build(kind, plain, where, "", partial)


def _build(kind: Any, plain: Mapping[str, Any], where: str, prefix: str, partial: bool) -> Any:
    values: dict[str, Any] = {}
    for one in _list_fields(kind):
        key = prefix + one.key
        if one.prefix is None:
            if key in plain:
                values[one.name] = _read(one.hint, plain[key], _join(where, key), partial)
        elif get_origin(one.hint) is Mapping:
            known = _list_keys(kind)
            others = {str(name): value for name, value in plain.items() if name not in known}
            values[one.name] = _read(one.hint, others, where, partial)
        else:
            values |= _build_beside(one, plain, where, prefix + one.prefix, partial)
    try:
        return kind(**values)
    except ValueError as error:
        raise MisfitError(where, cut_short(str(error))) from error


def _build_beside(
    one: _Field, plain: Mapping[str, Any], where: str, prefix: str, partial: bool
) -> dict[str, Any]:
    """Return the value of a field whose keys stand beside the others, under its name; none if they miss."""
    kind: Any = _strip_none(one.hint)
    keys = [prefix + key for key in _list_keys(kind)]
    if not any(key in plain for key in keys) and not one.is_required:
        return {}
    if kind is not one.hint:
        are_none = [plain.get(key) is None for key in keys]
        if all(are_none):
            return {one.name: None}
        if any(are_none):
            raise MisfitError(where, f"{' and '.join(keys)} go together: all of them, or none.")
    return {one.name: _build(kind, plain, where, prefix, partial)}


def _read(hint: Any, value: Any, where: str, partial: bool) -> Any:
    """Return the value that a plain one stands for; raise MisfitError if it stands for none of this type."""
    inner, may_be_none, origin, arguments = _take_apart(hint)
    if inner is Any or type(value) is inner or (value is None and may_be_none):
        return value
    if _is_object(inner):
        return _read_object(inner, value, where, partial)
    if origin is Mapping and isinstance(value, Mapping):
        return {str(key): _read(arguments[1], one, _join(where, key), partial) for key, one in value.items()}
    if origin is tuple and isinstance(value, (list, tuple)):
        return tuple(
            _read(arguments[0], one, f"{where}[{number}]", partial) for number, one in enumerate(value)
        )
    if origin is None:
        return _read_single(inner, value, where)
    words = [str(word) for word in arguments] if origin is Literal else []
    if value in words:
        return value
    raise WrongValueError(where, value, inner, words)


def _read_single(kind: type[Any], value: Any, where: str) -> Any:
    if issubclass(kind, Enum):
        words = _list_members(kind)
        if isinstance(value, str) and value in words:
            return words[value]
        raise WrongValueError(where, value, kind, words)
    if kind is float and type(value) is int:  # 1 is written where 1.0 is meant
        try:
            return float(value)
        except OverflowError:
            raise WrongValueError(where, value, kind) from None
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise WrongValueError(where, value, kind)


@cache
def _list_members(kind: type[Enum]) -> Mapping[str, Enum]:
    return {str(member.value): member for member in kind}


@cache
def _take_apart(hint: Any) -> tuple[Any, bool, Any, tuple[Any, ...]]:
    """Return the type without None, whether it may be None, and what it is made of: asked for every value."""
    inner = _strip_none(hint)
    return inner, inner is not hint, get_origin(inner), get_args(inner)


def _strip_none(hint: Any) -> Any:
    """Return the type beside None of one that may be None; any other as it is."""
    if get_origin(hint) in {Union, UnionType}:
        (inner,) = (one for one in get_args(hint) if one is not NoneType)
        return inner
    return hint


@cache
def _is_object(hint: Any) -> bool:
    return is_dataclass(hint)


def _join(where: str, key: object) -> str:
    return f"{where}.{key}" if where else str(key)

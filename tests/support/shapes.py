"""Check, in tests alone, the shapes that functions state as ``Annotated[Floats, "n 3"]``.

Outside the tests such a shape is a word to the reader. Here every function of some rooms that states one is
wrapped as its module is loaded: jaxtyping says what the words mean (a name is one length within a call),
beartype looks at each value.
"""

import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import reduce, wraps
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from operator import or_
from types import FunctionType, ModuleType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import numpy as np
from beartype.door import is_bearable
from jaxtyping import Shaped, jaxtyped

ROOMS = tuple(f"gadoscope.{room}." for room in ("imaging", "statistics", "decision", "freezing", "inference"))
"""Where docstrings state shapes of arrays that come from elsewhere."""


class ShapeError(AssertionError):
    """An array has another shape than the function states; never a mistake that a function may answer for."""


_is_checked = ContextVar("_is_checked", default=True)


@contextmanager
def unchecked_shapes() -> Iterator[None]:
    """Let wrong shapes through: for what a function itself says of them."""
    token = _is_checked.set(False)
    try:
        yield
    finally:
        _is_checked.reset(token)


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        check_shapes(module)


class _Finder(MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path) if name.startswith(ROOMS) else None
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


def install_shape_checks() -> None:
    """Check the shapes of all modules of the rooms that are loaded from now on."""
    loaded = sorted(name for name in sys.modules if name.startswith(ROOMS))
    assert not loaded, f"loaded before their shapes could be checked: {', '.join(loaded)}"
    sys.meta_path.insert(0, _Finder())


def check_shapes(module: ModuleType) -> None:
    """Wrap the functions and methods of a module that state a shape."""
    classes = [thing for thing in vars(module).values() if isinstance(thing, type)]
    for owner in (module, *(one for one in classes if one.__module__ == module.__name__)):
        for name, thing in list(vars(owner).items()):
            if isinstance(thing, FunctionType) and thing.__module__ == module.__name__ and _states_one(thing):
                setattr(owner, name, _checked(thing))


def _states_one(function: FunctionType) -> bool:
    return any("Annotated[" in str(hint) for hint in function.__annotations__.values())


def _checked(function: Callable[..., Any]) -> Callable[..., Any]:
    hints = get_type_hints(function, include_extras=True)
    shapes = {name: _to_shape(hint) for name, hint in hints.items() if "Annotated[" in str(hint)}
    names = tuple(inspect.signature(function).parameters)
    fitting: set[Any] = set()

    def check(values: dict[str, Any]) -> None:
        """Check values that were not met in these shapes before: what fits once always does."""
        met = tuple((name, _shape_of(value)) for name, value in values.items())
        if met in fitting:
            return
        with jaxtyped("context"):
            for name, value in values.items():
                if not is_bearable(value, shapes[name]):
                    given = [np.shape(one) for one in value] if isinstance(value, tuple) else np.shape(value)
                    raise ShapeError(f"{function.__qualname__}: {name} is {given}; stated is {hints[name]}.")
        fitting.add(met)

    @wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        if not _is_checked.get():
            return function(*arguments, **named)
        given = dict(zip(names, arguments, strict=False)) | named
        values = {name: given[name] for name in shapes if name in given}
        check(values)
        answer = function(*arguments, **named)
        if "return" in shapes:
            check({**values, "return": answer})
        return answer

    return call


def _shape_of(value: Any) -> Any:
    """Return all that the check of a value depends on."""
    if isinstance(value, np.ndarray):
        return type(value), value.shape
    return tuple(map(_shape_of, value)) if isinstance(value, tuple) else type(value)


def _to_shape(hint: Any) -> Any:
    """Return what jaxtyping makes of a hint; the number type is left to mypy, which knows it."""
    origin = get_origin(hint)
    if origin is Annotated:
        return Shaped[np.ndarray, get_args(hint)[1]]
    if origin in (Union, UnionType):
        return reduce(or_, map(_to_shape, get_args(hint)))
    if origin is tuple:
        return tuple[tuple(map(_to_shape, get_args(hint)))]  # type: ignore[misc]  # made at run time
    return hint

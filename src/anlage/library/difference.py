"""What differs between two contents: path, old, new; nothing is too small to be shown."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_NAMES = ("id", "attribute", "name", "role", "subject", "phase")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One value that differs.

    Attributes:
        path: Where; items with a name are found by it ("criteria[viability].lower"), so that an
            item moved or inserted does not make every later one differ.
        old: The value before; None when there was none.
        new: The value after; None when there is none.
    """

    path: str
    old: object
    new: object

    def __str__(self) -> str:
        if self.old is None:
            return f"{self.path}: {self.new} added"
        if self.new is None:
            return f"{self.path}: {self.old} removed"
        return f"{self.path}: {self.old} -> {self.new}"


def difference(old: Mapping[str, object], new: Mapping[str, object]) -> tuple[Change, ...]:
    """Give every value that differs, in the order of the new content.

    Example:
        >>> [str(one) for one in difference({"lower": 70}, {"lower": 75, "unit": "%"})]
        ['lower: 70 -> 75', 'unit: % added']
    """
    return tuple(_changes(old, new, ""))


def _changes(old: object, new: object, path: str) -> Iterator[Change]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys((*new, *old)):
            yield from _changes(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
    elif _is_list(old) and _is_list(new):
        before, after = _named(old), _named(new)
        for key in dict.fromkeys((*after, *before)):
            yield from _changes(before.get(key), after.get(key), f"{path}[{key}]")
        kept = [key for key in before if key in after]
        moved = [key for key in after if key in before]
        if kept != moved:
            yield Change(path=f"{path}[order]", old=", ".join(kept), new=", ".join(moved))
    elif old != new or isinstance(old, bool) != isinstance(new, bool):
        yield Change(path=path, old=old, new=new)


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _named(items: object) -> dict[str, object]:
    if not isinstance(items, Sequence):
        return {}
    for name in _NAMES:
        keys = [str(item.get(name)) for item in items if isinstance(item, Mapping) and name in item]
        if items and len(set(keys)) == len(items):
            return dict(zip(keys, items, strict=True))
    return {str(at): item for at, item in enumerate(items)}

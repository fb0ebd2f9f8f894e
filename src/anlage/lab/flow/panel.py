"""Which channel of a sample measures what: the panel of a T-cell tube."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from anlage.base import Refused

from .fcs import Channel, Sample

# Roles with the words by which laboratories and instruments name them.
_WORDS: Final[dict[str, str]] = {
    "viability": r"VIVID|VIABILITY|LIVE.?/?.?DEAD|\bL/D\b|7-?AAD|\bPI\b|ZOMBIE|\bDAPI\b|\bFVS\d*"
    r"|\bFVD\b|FIXABLE|\bDEAD\b|SYTOX|\bLD\b|\bAQUA\b|LIVEDEAD",
    "cd3": r"\bCD3(E|EPSILON)?\b",
    "cd4": r"\bCD4\b",
    "cd8": r"\bCD8(A|B| ?ALPHA| ?BETA| ?B)?\b",
    "ccr7": r"\bCCR7\b|\bCD197\b",
    "cd45ra": r"\bCD45.?RA\b",
    "cd45ro": r"\bCD45.?RO\b",
    "car": r"\bCAR\b|\bCAR-?T\b|\bFMC63\b|PROTEIN.?L\b|\bEGFRT\b|ANTI-?IDIOTYPE",
}
_SCATTER: Final[dict[str, str]] = {
    "fsc_area": r"^FSC.?A$|^FSC$|^FS.?A$",
    "fsc_height": r"^FSC.?H$|^FS.?H$",
    "fsc_width": r"^FSC.?W$|^FS.?W$",
}
ROLES: Final = (*_SCATTER, *_WORDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """The channel that plays each role; a role without channel is absent."""

    channels: dict[str, Channel]

    def __getitem__(self, role: str) -> Channel:
        """Give the channel of a role.

        Raises:
            Refused: The panel has none.
        """
        if role not in self.channels:
            raise Refused(
                "auto-panel",
                what=f"role {role} of the panel",
                found="no channel, among " + ", ".join(sorted(self.channels)),
                limit="one channel",
                remedy=f"name it with --channel {role}=NAME",
            )
        return self.channels[role]

    def __contains__(self, role: str) -> bool:
        """Tell whether a channel plays the role."""
        return role in self.channels


def panel_of(sample: Sample, chosen: Mapping[str, str] | None = None) -> Panel:
    """Find the channel of each role by its marker, else by its name; `chosen` goes first.

    Raises:
        Refused: A chosen role or channel does not exist, or two channels claim one role.
    """
    channels: dict[str, Channel] = {}
    for role, name in (chosen or {}).items():
        if role not in ROLES:
            raise Refused(
                "auto-panel", what=f"role {role}", found="unknown", limit=", ".join(ROLES)
            )
        channels[role] = sample.channel(name)
    for role, pattern in {**_SCATTER, **_WORDS}.items():
        if role in channels:
            continue
        found = [channel for channel in sample.channels if _plays(channel, role, pattern)]
        areas = [channel for channel in found if channel.name.upper().endswith("-A")]
        found = areas if len(found) > 1 and areas else found
        if len(found) > 1:
            raise Refused(
                "auto-panel",
                what=f"role {role} of the panel",
                found=", ".join(channel.name for channel in found),
                limit="one channel",
                remedy=f"choose one with --channel {role}=NAME",
            )
        if found:
            channels[role] = found[0]
    return Panel(channels=channels)


def _plays(channel: Channel, role: str, pattern: str) -> bool:
    words = [channel.name] if role in _SCATTER else [channel.marker or "", channel.name]
    return any(re.search(pattern, word.upper().replace("_", " ")) for word in words)

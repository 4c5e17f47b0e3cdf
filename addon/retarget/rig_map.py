"""Which bone of an armature does what: slots, rig maps as data, their JSON files. NumPy-free, bpy-free.

A slot is ``side.part`` or ``side.finger.number``: ``left.hand``, ``left.hand_ik``, ``left.upper_arm``,
``left.forearm``, ``left.forearm_twist.1``, ``left.index.1`` (the first bone that bends), ``left.index.metacarpal``,
``left.index.tip`` (a bone that only marks the fingertip).

A file may give both sides at once: ``{side}`` in slots and bone names stands for each side, and ``side_words`` says how
the rig spells it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...solver.errors import SolverError
from ...solver.hand_model.layout import FINGERS

FORMAT, VERSION = "handheld-rig-map", 1
SIDES = ("left", "right")
FOLDER = Path(__file__).parent / "maps"
PARTS = ("hand", "hand_ik", "upper_arm", "forearm")
LONGEST_FINGER, MOST_TWISTS = 4, 4
_SLOT = re.compile(
    rf"(left|right)\.({'|'.join(PARTS)}|forearm_twist\.[1-{MOST_TWISTS}]|"
    rf"({'|'.join(FINGERS)})\.([1-{LONGEST_FINGER}]|metacarpal|tip))"
)


@dataclass(frozen=True)
class Switch:
    """A custom property of a bone that chooses between IK and FK: its value for either."""

    bone: str
    name: str
    ik: float
    fk: float


@dataclass(frozen=True)
class RigMap:
    """Attributes:
    name: for a person to read.
    bones: bone name by slot.
    swing_only: bones whose twist never reaches what they deform: they are only swung.
    rest: bones that add to the fingers' pose and are kept at rest.
    switches: properties to set for the wrist's mode.
    """

    name: str
    bones: dict[str, str]
    swing_only: frozenset[str] = frozenset()
    rest: tuple[str, ...] = ()
    switches: tuple[Switch, ...] = field(default=())

    def bone(self, slot: str) -> str:
        """The bone in a slot, or ""."""
        return self.bones.get(slot, "")

    def finger(self, side: str, finger: str) -> tuple[str, ...]:
        """The bones of a finger that bend, base first."""
        names = (self.bone(f"{side}.{finger}.{number}") for number in range(1, LONGEST_FINGER + 1))
        return tuple(name for name in names if name)

    def fingers(self, side: str) -> dict[str, tuple[str, ...]]:
        """Those that a side has, thumb first."""
        chains = {finger: self.finger(side, finger) for finger in FINGERS}
        return {finger: chain for finger, chain in chains.items() if chain}

    def twists(self, side: str) -> tuple[str, ...]:
        """Twist bones of the forearm."""
        names = (self.bone(f"{side}.forearm_twist.{number}") for number in range(1, MOST_TWISTS + 1))
        return tuple(name for name in names if name)

    def sides(self) -> tuple[str, ...]:
        """Those with a hand and at least one finger."""
        return tuple(side for side in SIDES if self.bone(f"{side}.hand") and self.fingers(side))

    def missing_fingers(self, side: str) -> tuple[str, ...]:
        return tuple(finger for finger in FINGERS if not self.finger(side, finger))


def parse(content: dict[str, Any], name: str) -> RigMap:
    """A map from a file's content.

    Raises:
        SolverError: ``rig-map-not-readable``.
    """
    try:
        if content.get("format") != FORMAT or int(content.get("version", 0)) > VERSION:
            raise ValueError(f"its format is {content.get('format')!r}, version {content.get('version')!r}")
        both = _expanded(content)
        unknown = [slot for slot in both["bones"] if not _SLOT.fullmatch(slot)]
        if unknown:
            raise ValueError(f"it has a slot {unknown[0]!r}, which is not known")
        return RigMap(
            name=str(content.get("name", name)),
            bones={slot: str(bone) for slot, bone in both["bones"].items() if bone},
            swing_only=frozenset(map(str, both["swing_only"])),
            rest=tuple(map(str, both["rest"])),
            switches=tuple(
                Switch(str(s["bone"]), str(s["property"]), float(s["ik"]), float(s["fk"])) for s in both["switches"]
            ),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SolverError(
            "rig-map-not-readable",
            f"{name} is no rig map: {error}.",
            "Choose a map that was saved by Handheld; addon/retarget/README.md describes the file.",
        ) from error


def _expanded(content: dict[str, Any]) -> dict[str, Any]:
    """The content for both sides, ``{side}`` replaced by each in turn."""
    words = content.get("side_words", {side: side for side in SIDES})
    out: dict[str, Any] = {"bones": {}, "swing_only": [], "rest": [], "switches": []}

    def of_side(text: Any, side: str, word: str) -> Any:
        return text.replace("{side}", word) if isinstance(text, str) else text

    for side in SIDES:
        for slot, bone in content["bones"].items():
            if "{side}" in slot or slot.startswith(side):
                out["bones"][slot.replace("{side}", side)] = of_side(bone, side, words[side])
        for key in ("swing_only", "rest"):
            out[key] += [of_side(bone, side, words[side]) for bone in content.get(key, [])]
        for switch in content.get("switches", []):
            out["switches"].append({key: of_side(value, side, words[side]) for key, value in switch.items()})
    for key in ("swing_only", "rest"):
        out[key] = list(dict.fromkeys(out[key]))
    out["switches"] = list({json.dumps(switch): switch for switch in out["switches"]}.values())
    return out


def read(path: Path) -> RigMap:
    """A map of the user's.

    Raises:
        SolverError: ``rig-map-not-readable``.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SolverError(
            "rig-map-not-readable", f"{path} could not be read.", "Choose a map that was saved by Handheld."
        ) from error
    return parse(content if isinstance(content, dict) else {}, path.name)


def as_content(rig_map: RigMap) -> dict[str, Any]:
    """What a map's file holds."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": rig_map.name,
        "bones": rig_map.bones,
        "swing_only": sorted(rig_map.swing_only),
        "rest": list(rig_map.rest),
        "switches": [{"bone": s.bone, "property": s.name, "ik": s.ik, "fk": s.fk} for s in rig_map.switches],
    }


def write(path: Path, rig_map: RigMap) -> None:
    """Raises:
    SolverError: ``rig-map-not-writable``.
    """
    try:
        path.write_text(json.dumps(as_content(rig_map), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise SolverError(
            "rig-map-not-writable", f"{path} could not be written ({error.strerror}).", "Choose another folder."
        ) from error


def known() -> list[RigMap]:
    """The maps that come with the product; where several fit equally the first one is meant."""
    return [read(path) for path in sorted(FOLDER.glob("*.json"))]

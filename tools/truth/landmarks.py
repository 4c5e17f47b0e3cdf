"""Where MANO's joints are in a MakeHuman body: the joint centres of the SOMA-X rig on that very person's surface.

MakeHuman's own game rig bends its fingers about points that are 1 to 15 mm away from these (the thumb's base, the
wrist and the knuckles most), which is a difference of definition and no error of a solver. SOMA-X regresses its joints
from the skin; its skin is tied to MakeHuman's, so they can be had for any MakeHuman shape.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tools.open_hand.identities import bind
from tools.open_hand.sources import open_files, read_tensors

from .figure import HAND_JOINTS, SIDES


def rest_joints(wheel: Path, vertices: np.ndarray) -> np.ndarray:
    """(2, 16, 3) left and right, MANO order, in the frame and unit of ``vertices`` (V, 3): all of MakeHuman's."""
    files = open_files(wheel)
    rig = read_tensors(files, "soma/soma_rig.pt")
    bones = [rig["bone_labels"].index(_soma_name(side, joint)) for side in SIDES for joint in HAND_JOINTS]
    regressor = rig["sparse_rbf_matrix"][bones]
    needed = np.unique(regressor.indices)
    corners, barycentric = bind(files, needed)
    surface = np.einsum("nkc,nk->nc", vertices[corners], barycentric)
    return (regressor[:, needed] @ surface).reshape(2, len(HAND_JOINTS), 3)


def _soma_name(side: str, joint: str) -> str:
    """SOMA-X's first finger bones are metacarpals, except the thumb's."""
    if joint == "wrist":
        return f"{side.capitalize()}Hand"
    finger, number = joint[:-1], int(joint[-1])
    return f"{side.capitalize()}Hand{finger.capitalize()}{number if finger == 'thumb' else number + 1}"

"""The files between the numbers and the renderer: one folder per clip."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np

from .clips import SKINS, ClipSpec
from .figure import Figure
from .prepare import Motion, cloth_faces, prop_mesh, redness

# distorted clips are rendered a little wider, then bent
_OVERSCAN = 1.16


@dataclasses.dataclass(frozen=True)
class RenderSettings:
    """What costs time but changes no truth."""

    samples: int = 4
    threads: int = 1
    subdivision: int = 1


def render_size(spec: ClipSpec) -> tuple[int, int]:
    """Pixels to render: the clip's own, or wider (even numbers) where a distortion is put on afterwards."""
    if not (spec.nuisance.k1 or spec.nuisance.k2):
        return spec.size
    return tuple(2 * int(np.ceil(side * _OVERSCAN / 2)) for side in spec.size)


def write_scene(
    folder: Path, spec: ClipSpec, figure: Figure, motion: Motion, nails: np.ndarray, settings: RenderSettings
) -> None:
    """``scene.npz`` (arrays, Blender's world) and ``scene.json`` (everything else) for ``render.py``."""
    (folder / "frames").mkdir(parents=True, exist_ok=True)
    arrays = {
        "vertices": motion.vertices,
        "faces": figure.faces,
        "uv": figure.uv,
        "rest": figure.vertices,
        "redness": redness(figure),
        "is_cloth": cloth_faces(figure, spec.cloth.sleeve),
        "nails": nails,
        "camera": motion.camera,
        **{f"prop{k}": poses for k, poses in enumerate(motion.props)},
    }
    np.savez(folder / "scene.npz", **arrays)
    (folder / "scene.json").write_text(json.dumps(_described(spec, settings), indent=1))


def _described(spec: ClipSpec, settings: RenderSettings) -> dict:
    props = []
    for prop in spec.props:
        vertices, faces = prop_mesh(prop)
        pattern = {"pattern": "voronoi", "dark": prop.dark, "light": prop.light, "scale": prop.scale}
        props.append({"vertices": vertices.tolist(), "faces": faces, **pattern})
    return {
        **dataclasses.asdict(settings),
        "frame_count": spec.frame_count,
        "render_size": render_size(spec),
        "focal_px": spec.focal_px,
        "shutter": spec.nuisance.shutter,
        "rolling_shutter": spec.nuisance.rolling_shutter,
        "exposure": 0.0,
        "light": 1.0,
        "room": spec.room,
        "room_seed": spec.seed,
        "skin": dataclasses.asdict(SKINS[spec.skin]),
        "cloth": dataclasses.asdict(spec.cloth),
        "props": props,
    }

"""The camera and world panels in a real window: each source of a camera, its errors, and the handles on a solved world.

``blender --factory-startup --python camera.py``; pictures and ``result.txt`` go to /session. Clip and take are made
here; a real clip and its take are shown as well where they lie in /session as ``clip.mp4`` and ``clip.npz``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from window import WORK, addon, area, install, open_sidebar, picture, region, run  # noqa: E402

FRAMES, SIZE = 60, (640, 360)


def room(rng: np.random.Generator) -> np.ndarray:
    """(N, 3) points on a floor and a wall, solver axes."""
    floor = rng.uniform([-1.5, 1.0, 1.0], [1.5, 1.0, 4.0], size=(300, 3))
    wall = rng.uniform([-1.5, -0.6, 4.0], [1.5, 1.0, 4.0], size=(200, 3))
    return np.concatenate([floor, wall])


def write_cameras(take) -> None:
    from solver.camera.formats import KnownCamera, LensPart, chan, colmap

    lens = LensPart(take.intrinsics, SIZE, take.distortion)
    known = KnownCamera(take.frames.astype(float), take.world_from_camera, lens, points=take.points,
                        point_errors_px=take.point_errors_px)  # fmt: skip
    chan.write(WORK / "camera.chan", known)
    colmap.write(WORK / "model", known)
    (WORK / "broken.chan").write_text("this is no camera\n")


def open_panels() -> Iterator[float]:
    """Blender has no call that opens a sub-panel, so they are registered as open ones."""
    for cls in bpy.types.Panel.__subclasses__():
        if cls.__name__ in ("HANDHELD_PT_view3d_camera", "HANDHELD_PT_view3d_world"):
            bpy.utils.unregister_class(cls)
            cls.bl_options = set()
            bpy.utils.register_class(cls)
    yield 0.3


def show(name: str) -> Iterator[float]:
    region("VIEW_3D").tag_redraw()
    yield 0.5
    picture(name)


def steps() -> Iterator[float]:
    from movies import write_movie
    from takes import moving_camera, moving_take

    from solver import take as takes

    yield 1.0
    install()
    yield from open_panels()
    yield from open_sidebar("VIEW_3D")
    rng = np.random.default_rng(2)
    points = room(rng)
    bent = {"distortion": np.array([-0.25, 0.05]), "intrinsics": np.array([500.0, 500.0, 320.0, 180.0])}
    take = moving_take(frames=FRAMES, camera_kind="given", world_from_camera=moving_camera(rng, FRAMES),
                       points=points, point_errors_px=rng.uniform(0.2, 2.0, len(points)),
                       camera_error_px=rng.uniform(0.3, 0.9, FRAMES), **bent)  # fmt: skip
    write_cameras(take)
    clip = write_movie(WORK / "room.mp4", frames=FRAMES, size=SIZE)
    bpy.context.scene.handheld.clip = addon("clip").load(str(clip))
    bpy.ops.handheld.match_scene()
    settings = bpy.context.scene.handheld
    for source in ("AUTO", "CLIP", "OBJECT", "FILE"):
        settings.camera_source = source
        yield from show(f"camera_1_{source.lower()}")
    bpy.ops.handheld.choose_camera_file(filepath=str(WORK / "camera.chan"))
    yield from show("camera_2_chan")
    bpy.context.scene.handheld_camera.offset = 5
    yield from show("camera_3_outside")
    bpy.context.scene.handheld_camera.offset = 0
    bpy.ops.handheld.choose_camera_file(filepath=str(WORK / "model" / "images.txt"))
    yield from show("camera_4_colmap")
    bpy.context.scene.handheld_camera.file = str(WORK / "broken.chan")
    yield from show("camera_5_problem")

    settings.camera_source = "AUTO"
    takes.save(take, WORK / "room.npz")
    bpy.ops.handheld.import_take(filepath=str(WORK / "room.npz"), use_clip=False)
    bpy.ops.object.select_all(action="DESELECT")
    view = region("VIEW_3D", "WINDOW")
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0], area=area("VIEW_3D"), region=view):
        bpy.ops.view3d.view_all()
    yield from show("camera_6_world")
    root = next(o for o in bpy.context.scene.objects if o.handheld.role == "ROOT")
    root.handheld_world.scale = 1.5
    yield from show("camera_7_scaled")
    if (WORK / "clip.npz").exists():
        yield from real_clip()


def real_clip() -> Iterator[float]:
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    yield 1.0
    yield from open_sidebar("VIEW_3D")
    bpy.ops.handheld.import_take(filepath=str(WORK / "clip.npz"), use_clip=True)
    bpy.ops.handheld.match_scene()
    bpy.context.scene.frame_set(30)
    yield from show("camera_8_clip")
    area("VIEW_3D").spaces[0].region_3d.view_perspective = "CAMERA"
    area("VIEW_3D").spaces[0].shading.type = "SOLID"
    yield from show("camera_9_through")


run(steps())

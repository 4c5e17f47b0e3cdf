"""bpy: renders the frames of one prepared scene. Run by Blender's Python: ``python -m tools.truth.render FOLDER``.

Reads ``scene.npz`` and ``scene.json`` (see ``scene.write_scene``), writes ``frames/00000.png`` ...; frames that are
there already are kept, so that a broken run goes on where it stopped.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

from . import room
from .skin import cloth_material, skin_material


def render_scene(folder: Path, only: list[int] | None = None) -> None:
    settings = json.loads((folder / "scene.json").read_text())
    with np.load(folder / "scene.npz") as arrays:
        data = {name: arrays[name] for name in arrays.files}
    bpy.ops.wm.read_factory_settings(use_empty=True)
    _engine(settings)
    room.build(settings["room"], settings["room_seed"])
    _figure(data, settings)
    for number, prop in enumerate(settings["props"]):
        _prop(prop, data[f"prop{number}"], number)
    _lights(settings)
    _camera(data["camera"], data.get("focal_px"), settings)
    count = settings["frame_count"]
    for frame in range(count) if only is None else only:
        target = folder / "frames" / f"{frame:05d}.png"
        if not target.exists():
            _render_frame(frame, target)


def _engine(settings: dict) -> None:
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.samples = settings["samples"]
    scene.cycles.use_adaptive_sampling = False
    scene.cycles.use_denoising = True
    scene.cycles.denoiser, scene.cycles.denoising_prefilter = "OPENIMAGEDENOISE", "FAST"
    scene.cycles.denoising_quality = "FAST"
    scene.cycles.max_bounces = scene.cycles.diffuse_bounces = 1
    scene.cycles.glossy_bounces = scene.cycles.transmission_bounces = 0
    scene.cycles.use_light_tree = False
    scene.cycles.caustics_reflective = scene.cycles.caustics_refractive = False
    scene.render.resolution_x, scene.render.resolution_y = settings["render_size"]
    scene.render.fps = 30
    scene.render.use_persistent_data = True
    scene.render.threads_mode, scene.render.threads = "FIXED", settings["threads"]
    scene.view_settings.view_transform = "Standard"
    scene.view_settings.exposure = settings["exposure"]
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.compression = 15
    scene.render.use_motion_blur = settings["shutter"] > 0
    scene.render.motion_blur_shutter = settings["shutter"]
    if settings["rolling_shutter"] > 0:
        # Cycles sweeps the rows through the shutter interval; the rest of it is each row's own exposure
        scene.cycles.rolling_shutter_type = "TOP"
        scene.cycles.rolling_shutter_duration = 1.0 - settings["rolling_shutter"]
    world = bpy.data.worlds.new("world")
    scene.world = world
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs[0].default_value = (0.55, 0.56, 0.6, 1)


def _figure(data: dict[str, np.ndarray], settings: dict) -> None:
    mesh = bpy.data.meshes.new("figure")
    faces = [tuple(face[face >= 0].tolist()) for face in data["faces"]]
    mesh.from_pydata(data["vertices"][0].tolist(), [], faces)
    mesh.polygons.foreach_set("use_smooth", np.ones(len(faces), bool))
    layer = mesh.uv_layers.new(name="uv")
    layer.data.foreach_set("uv", data["uv"][data["faces"] >= 0].astype(np.float32).ravel())
    rest = mesh.attributes.new("rest", "FLOAT_VECTOR", "POINT")
    rest.data.foreach_set("vector", data["rest"].astype(np.float32).ravel())
    red = mesh.attributes.new("redness", "FLOAT", "POINT")
    red.data.foreach_set("value", data["redness"].astype(np.float32))
    mesh.materials.append(skin_material(settings["skin"], data["nails"]))
    mesh.materials.append(cloth_material(settings["cloth"]))
    mesh.polygons.foreach_set("material_index", data["is_cloth"].astype(np.int32))
    figure = bpy.data.objects.new("figure", mesh)
    bpy.context.scene.collection.objects.link(figure)
    subdivide = figure.modifiers.new("smooth", "SUBSURF")
    subdivide.levels = subdivide.render_levels = settings["subdivision"]
    _shape_keys(figure, data["vertices"])


def _shape_keys(figure: bpy.types.Object, vertices: np.ndarray) -> None:
    """One linear key per frame: exact at frames, straight in between, so motion blur follows the surface."""
    figure.shape_key_add(name="Basis")
    for frame, positions in enumerate(vertices):
        key = figure.shape_key_add(name=f"f{frame:04d}")
        key.data.foreach_set("co", positions.astype(np.float32).ravel())
        for offset, value in ((-1, 0.0), (0, 1.0), (1, 0.0)):
            key.value = value
            key.keyframe_insert("value", frame=frame + offset)
    _make_linear(figure.data.shape_keys)


def _make_linear(owner: bpy.types.ID) -> None:
    for curve in owner.animation_data.action.fcurves:
        for point in curve.keyframe_points:
            point.interpolation = "LINEAR"


def _animate(thing: bpy.types.Object, poses: np.ndarray) -> None:
    thing.rotation_mode = "QUATERNION"
    before = None
    for frame, pose in enumerate(poses):
        matrix = Matrix(pose.tolist())
        turn = matrix.to_quaternion()
        if before is not None and turn.dot(before) < 0:
            turn.negate()
        before = turn.copy()
        thing.location, thing.rotation_quaternion = matrix.translation, turn
        thing.keyframe_insert("location", frame=frame)
        thing.keyframe_insert("rotation_quaternion", frame=frame)
    _make_linear(thing)


def _prop(prop: dict, poses: np.ndarray, number: int) -> None:
    made_of = room.surface(f"prop{number}", prop["pattern"], tuple(prop["dark"]), tuple(prop["light"]), prop["scale"])
    mesh = bpy.data.meshes.new(f"prop{number}")
    mesh.from_pydata(prop["vertices"], [], [tuple(face) for face in prop["faces"]])
    mesh.materials.append(made_of)
    built = bpy.data.objects.new(f"prop{number}", mesh)
    bpy.context.scene.collection.objects.link(built)
    _animate(built, poses)


def _lights(settings: dict) -> None:
    for name, place, watts, size in (("key", (-0.9, -0.3, 2.4), 26.0, 0.9), ("fill", (1.3, 1.0, 2.4), 16.0, 1.2)):
        light = bpy.data.lights.new(name, "AREA")
        light.energy, light.size = watts * settings["light"], size
        lamp = bpy.data.objects.new(name, light)
        lamp.location = place
        lamp.rotation_euler = (Matrix.Translation(place).translation * -1).to_track_quat("-Z", "Y").to_euler()
        bpy.context.scene.collection.objects.link(lamp)


def _camera(poses: np.ndarray, focals_px: np.ndarray | None, settings: dict) -> None:
    lens = bpy.data.cameras.new("camera")
    lens.sensor_fit, lens.sensor_width = "HORIZONTAL", 36.0
    millimetres_per_pixel = lens.sensor_width / settings["render_size"][0]
    lens.lens = settings["focal_px"] * millimetres_per_pixel
    for frame, focal in enumerate(focals_px if focals_px is not None else ()):
        lens.lens = focal * millimetres_per_pixel
        lens.keyframe_insert("lens", frame=frame)
    lens.clip_start = 0.01
    camera = bpy.data.objects.new("camera", lens)
    bpy.context.scene.collection.objects.link(camera)
    bpy.context.scene.camera = camera
    _animate(camera, poses)


def _render_frame(frame: int, target: Path) -> None:
    scene = bpy.context.scene
    scene.frame_set(frame + 1)  # arrays carry one frame of margin on either side
    scene.cycles.seed = frame
    partial = target.with_name(f"partial-{target.name}")
    scene.render.filepath = str(partial)
    bpy.ops.render.render(write_still=True)
    partial.rename(target)


if __name__ == "__main__":
    render_scene(Path(sys.argv[1]), [int(number) for number in sys.argv[2:]] or None)

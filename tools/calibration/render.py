"""bpy: renders the sampled views. Run by Blender's Python: ``python -m tools.calibration.render FOLDER [FIRST LAST]``.

Reads ``views.npz``, writes ``00000.png`` ...; a picture that is there already is kept.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix, Vector

_SKINS = (
    ((0.50, 0.29, 0.20), (0.66, 0.43, 0.32)),
    ((0.36, 0.19, 0.115), (0.49, 0.28, 0.18)),
    ((0.17, 0.085, 0.05), (0.26, 0.14, 0.085)),
    ((0.06, 0.03, 0.02), (0.11, 0.055, 0.035)),
)
_SAMPLES = 4
_OTHER = {"left": "right", "right": "left"}


def render_views(folder: Path, first: int, last: int) -> None:
    with np.load(folder / "views.npz") as archive:
        data = {name: archive[name] for name in archive.files}
    for number in range(first, min(last, len(data["seed"]) - 1) + 1):
        target = folder / f"{number:05d}.png"
        if not target.exists():
            _render(data, number, target)


def _render(data: dict[str, np.ndarray], number: int, target: Path) -> None:
    rng = random.Random(int(data["seed"][number]))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    _engine(int(round(2 * data["intrinsics"][number][2])))
    _background(rng)
    side = str(data["side"][number])
    skin = _hand(data, side, data["vertices"][number], _skin(rng), int(data["sleeve"][number]))
    _lights(rng, _blender(data["keypoints"][number]).mean(axis=0))
    _camera(data["intrinsics"][number])
    if np.isfinite(data["other"][number]).all():
        _hand(data, _OTHER[side], data["other"][number], skin, int(data["sleeve"][number]))
    for row in data["things"][number]:
        if np.isfinite(row).all():
            _thing(row, rng)
    bpy.context.scene.render.filepath = str(target)
    bpy.ops.render.render(write_still=True)


def _blender(points: np.ndarray) -> np.ndarray:
    """Solver's camera axes to Blender's (y up, looking along -z)."""
    return points * np.array([1.0, -1.0, -1.0])


def _engine(size_px: int) -> None:
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples = _SAMPLES
    scene.cycles.use_denoising = True
    scene.cycles.denoiser, scene.cycles.denoising_prefilter = "OPENIMAGEDENOISE", "FAST"
    scene.cycles.max_bounces = 1
    scene.render.resolution_x = scene.render.resolution_y = size_px
    scene.render.threads_mode, scene.render.threads = "FIXED", 1
    scene.view_settings.view_transform = "Standard"
    scene.render.image_settings.file_format = "PNG"


def _background(rng: random.Random) -> None:
    """A wall of coloured noise that shines by itself, and grey light from everywhere."""
    world = bpy.data.worlds.new("world")
    bpy.context.scene.world = world
    world.use_nodes = True
    grey = rng.uniform(0.15, 0.6)
    world.node_tree.nodes["Background"].inputs[0].default_value = (grey, grey, grey * rng.uniform(0.9, 1.1), 1)
    mesh = bpy.data.meshes.new("wall")
    mesh.from_pydata([(-4, -4, -2.5), (4, -4, -2.5), (4, 4, -2.5), (-4, 4, -2.5)], [], [(0, 1, 2, 3)])
    wall = bpy.data.objects.new("wall", mesh)
    bpy.context.scene.collection.objects.link(wall)
    material = bpy.data.materials.new("wall")
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    output, emission = tree.nodes.new("ShaderNodeOutputMaterial"), tree.nodes.new("ShaderNodeEmission")
    noise, ramp = tree.nodes.new("ShaderNodeTexNoise"), tree.nodes.new("ShaderNodeValToRGB")
    place = tree.nodes.new("ShaderNodeTexCoord")
    noise.inputs["Scale"].default_value, noise.inputs["Detail"].default_value = rng.uniform(0.4, 3), 8.0
    ramp.color_ramp.elements[0].position, ramp.color_ramp.elements[1].position = 0.35, 0.65
    for element in ramp.color_ramp.elements:
        element.color = (rng.uniform(0.02, 0.8), rng.uniform(0.02, 0.8), rng.uniform(0.02, 0.8), 1)
    tree.links.new(place.outputs["Object"], noise.inputs["Vector"])
    tree.links.new(noise.outputs["Fac"], ramp.inputs["Fac"])
    tree.links.new(ramp.outputs["Color"], emission.inputs["Color"])
    tree.links.new(emission.outputs["Emission"], output.inputs["Surface"])
    mesh.materials.append(material)


def _hand(
    data: dict[str, np.ndarray], side: str, vertices: np.ndarray, skin: bpy.types.Material, sleeve: int
) -> bpy.types.Material:
    """A hand and its forearm, in clothes from the ring ``sleeve`` on; returns ``skin``."""
    faces = [*data[f"triangles_{side}"].tolist(), *data[f"quads_{side}"].tolist()]
    mesh = bpy.data.meshes.new("hand")
    mesh.from_pydata(_blender(vertices).tolist(), [], faces)
    mesh.polygons.foreach_set("use_smooth", np.ones(len(faces), bool))
    extra = len(mesh.vertices) - len(data[f"nails_{side}"])
    nail = mesh.attributes.new("nail", "FLOAT", "POINT")
    nail.data.foreach_set("value", np.append(data[f"nails_{side}"], np.zeros(extra)).astype(np.float32))
    mesh.materials.append(skin)
    mesh.materials.append(_patterned(random.Random(sleeve)))
    clothed = np.zeros(len(faces), np.int32)
    clothed[len(data[f"triangles_{side}"]) + 16 * sleeve :] = 1
    mesh.polygons.foreach_set("material_index", clothed)
    hand = bpy.data.objects.new("hand", mesh)
    bpy.context.scene.collection.objects.link(hand)
    smooth = hand.modifiers.new("smooth", "SUBSURF")
    smooth.levels = smooth.render_levels = 1
    return skin


def _thing(row: np.ndarray, rng: random.Random) -> None:
    """One ``things.Thing``: kind, half extents, axes (columns) and centre."""
    half, axes, centre = row[1:4], row[4:13].reshape(3, 3), row[13:]
    if row[0] == 0:
        bpy.ops.mesh.primitive_cube_add(size=2.0)
    elif row[0] == 1:
        bpy.ops.mesh.primitive_cylinder_add(vertices=48, radius=1.0, depth=2.0)
    else:
        bpy.ops.mesh.primitive_uv_sphere_add(radius=1.0)
    thing = bpy.context.object
    mesh = thing.data
    mesh.polygons.foreach_set("use_smooth", np.full(len(mesh.polygons), row[0] == 2))
    mesh.materials.append(_patterned(rng))
    place = np.eye(4)
    place[:3, :3], place[:3, 3] = _blender((axes * half).T).T, _blender(centre)
    thing.matrix_world = Matrix(place.tolist())


def _patterned(rng: random.Random) -> bpy.types.Material:
    """Two colours in spots or stripes, or nearly one."""
    material = bpy.data.materials.new("pattern")
    material.use_nodes = True
    tree = material.node_tree
    shader, place = tree.nodes["Principled BSDF"], tree.nodes.new("ShaderNodeTexCoord")
    texture = tree.nodes.new(rng.choice(("ShaderNodeTexNoise", "ShaderNodeTexWave", "ShaderNodeTexChecker")))
    texture.inputs["Scale"].default_value = rng.uniform(0.3, 12)
    ramp = tree.nodes.new("ShaderNodeValToRGB")
    level = rng.uniform(0.05, 0.9)
    for element in ramp.color_ramp.elements:
        element.color = (*[min(1.0, level * rng.uniform(0.3, 1.3)) for _ in range(3)], 1)
    tree.links.new(place.outputs["Object"], texture.inputs["Vector"])
    tree.links.new(texture.outputs["Fac"], ramp.inputs["Fac"])
    tree.links.new(ramp.outputs["Color"], shader.inputs["Base Color"])
    shader.inputs["Roughness"].default_value = rng.uniform(0.1, 0.9)
    shader.inputs["Metallic"].default_value = rng.choice((0.0, 0.0, 0.0, rng.random()))
    return material


def _skin(rng: random.Random) -> bpy.types.Material:
    dark, light = rng.choice(_SKINS)
    warm = rng.uniform(0.9, 1.1)
    material = bpy.data.materials.new("skin")
    material.use_nodes = True
    tree = material.node_tree
    shader = tree.nodes["Principled BSDF"]
    noise, ramp = tree.nodes.new("ShaderNodeTexNoise"), tree.nodes.new("ShaderNodeValToRGB")
    noise.inputs["Scale"].default_value, noise.inputs["Detail"].default_value = 60.0, 4.0
    ramp.color_ramp.elements[0].color = (dark[0] * warm, dark[1], dark[2], 1)
    ramp.color_ramp.elements[1].color = (light[0] * warm, light[1], light[2], 1)
    place = tree.nodes.new("ShaderNodeTexCoord")
    tree.links.new(place.outputs["Object"], noise.inputs["Vector"])
    tree.links.new(noise.outputs["Fac"], ramp.inputs["Fac"])
    nail, mix = tree.nodes.new("ShaderNodeAttribute"), tree.nodes.new("ShaderNodeMixRGB")
    nail.attribute_name = "nail"
    mix.inputs["Color2"].default_value = (*[0.5 * c + 0.3 for c in light], 1)
    tree.links.new(nail.outputs["Fac"], mix.inputs["Fac"])
    tree.links.new(ramp.outputs["Color"], mix.inputs["Color1"])
    tree.links.new(mix.outputs["Color"], shader.inputs["Base Color"])
    shader.inputs["Roughness"].default_value = rng.uniform(0.4, 0.6)
    bump, fine = tree.nodes.new("ShaderNodeBump"), tree.nodes.new("ShaderNodeTexNoise")
    fine.inputs["Scale"].default_value = 250.0
    bump.inputs["Strength"].default_value, bump.inputs["Distance"].default_value = 0.4, 0.001
    tree.links.new(place.outputs["Object"], fine.inputs["Vector"])
    tree.links.new(fine.outputs["Fac"], bump.inputs["Height"])
    tree.links.new(bump.outputs["Normal"], shader.inputs["Normal"])
    return material


def _lights(rng: random.Random, hand: np.ndarray) -> None:
    for watts, side in ((rng.uniform(6, 22), -1), (rng.uniform(2, 10), 1)):
        lamp = bpy.data.lights.new("lamp", "AREA")
        lamp.energy, lamp.size = watts, rng.uniform(0.3, 1.0)
        thing = bpy.data.objects.new("lamp", lamp)
        offset = Vector((side * rng.uniform(0.2, 0.9), rng.uniform(0.2, 1.1), rng.uniform(0.2, 0.9)))
        thing.location = Vector(hand.tolist()) + offset
        thing.rotation_euler = (-offset).to_track_quat("-Z", "Y").to_euler()
        bpy.context.scene.collection.objects.link(thing)


def _camera(intrinsics: np.ndarray) -> None:
    lens = bpy.data.cameras.new("camera")
    lens.sensor_width, lens.lens = 36.0, float(intrinsics[0] / (2 * intrinsics[2]) * 36.0)
    lens.clip_start = 0.01
    camera = bpy.data.objects.new("camera", lens)
    bpy.context.scene.collection.objects.link(camera)
    bpy.context.scene.camera = camera


if __name__ == "__main__":
    render_views(Path(sys.argv[1]), *(int(number) for number in sys.argv[2:4] or (0, 10**6)))

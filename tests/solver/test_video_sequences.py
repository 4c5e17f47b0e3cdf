"""Image sequences: found from an image, a folder or a pattern; numbered by their names; any depth."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from solver.errors import SolverError
from solver.video import content_digest, open_clip
from solver.video.images import read_image
from tests.solver.movies import number_in, numbered_image


def write(path, image):
    encoded = cv2.imencode(path.suffix, image[..., ::-1] if image.ndim == 3 else image)[1]
    path.write_bytes(encoded.tobytes())


def sequence(folder, numbers=range(101, 106), name="shot 手_{:04d}.png"):
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        write(folder / name.format(number), numbered_image(number))
    return folder


@pytest.mark.parametrize("given", ["shot 手_0101.png", "shot 手_0103.png", "shot 手_%04d.png", "shot 手_####.png", ""])
def test_found_however_it_is_named(tmp_path, given):
    folder = sequence(tmp_path / "два слова")
    clip = open_clip(folder / given)
    assert clip.path == folder / "shot 手_0101.png"
    assert (clip.frame_rate, clip.first_frame, clip.last_frame) == (24, 101, 105)
    assert [(f.number, number_in(f.image)) for f in clip.frames()] == [(n, n) for n in range(101, 106)]
    assert [(f.number, number_in(f.image)) for f in clip.backwards(102, 104)] == [(n, n) for n in (104, 103, 102)]


def test_rate_and_range_are_given(tmp_path):
    clip = open_clip(sequence(tmp_path), 102, 103, Fraction(30000, 1001))
    assert (clip.frame_rate, clip.frame_numbers) == (Fraction(30000, 1001), range(102, 104))


def test_other_files_of_the_folder_do_not_matter(tmp_path):
    folder = sequence(tmp_path)
    write(folder / "poster_7.png", numbered_image(1))
    (folder / "notes_1.txt").write_text("")
    assert open_clip(folder).frame_numbers == range(101, 106)


@pytest.mark.parametrize(
    ("numbers", "given", "code"),
    [
        ((1, 2, 4), "shot 手_0001.png", "clip-frames-missing"),
        ((1,), "shot 手_0001.png", "clip-one-frame"),
        ((1, 2), "shot 手_0009.png", "clip-missing"),
        ((1, 2), "other_%04d.png", "clip-missing"),
        ((), "", "clip-missing"),
    ],
)
def test_what_is_no_sequence_is_refused(tmp_path, numbers, given, code):
    with pytest.raises(SolverError) as error:
        open_clip(sequence(tmp_path, numbers) / given)
    assert error.value.code == code
    assert error.value.repair.endswith(".")


def test_the_missing_frame_is_named(tmp_path):
    with pytest.raises(SolverError, match="frame 3"):
        open_clip(sequence(tmp_path, (1, 2, 4)))


def test_an_image_without_a_number_is_a_single_image(tmp_path):
    write(tmp_path / "portrait.png", numbered_image(1))
    with pytest.raises(SolverError) as error:
        open_clip(tmp_path / "portrait.png")
    assert error.value.code == "clip-one-frame"


def test_two_sequences_in_a_folder_need_a_choice(tmp_path):
    sequence(tmp_path)
    sequence(tmp_path, name="take_{:03d}.jpg")
    with pytest.raises(SolverError) as error:
        open_clip(tmp_path)
    assert error.value.code == "clip-ambiguous"
    assert open_clip(tmp_path / "take_101.jpg").path.name == "take_101.jpg"


def test_a_broken_or_odd_image_is_named(tmp_path):
    folder = sequence(tmp_path)
    (folder / "shot 手_0103.png").write_bytes(b"broken")
    with pytest.raises(SolverError, match="0103") as error:
        list(open_clip(folder).frames())
    assert error.value.code == "clip-frame-unreadable"
    write(folder / "shot 手_0103.png", numbered_image(1)[:20])
    with pytest.raises(SolverError, match="0103") as error:
        list(open_clip(folder).frames())
    assert error.value.code == "clip-size-changes"


def test_every_depth_becomes_8_bit_rgb(tmp_path):
    rgb = np.array([[[255, 128, 0], [10, 20, 30]]], np.uint8)
    write(tmp_path / "eight.png", rgb)
    write(tmp_path / "sixteen.png", rgb.astype(np.uint16) * 257)
    write(tmp_path / "sixteen.tif", rgb.astype(np.uint16) * 257)
    alpha = np.dstack([rgb[..., ::-1], np.full(rgb.shape[:2], 7, np.uint8)])
    (tmp_path / "alpha.png").write_bytes(cv2.imencode(".png", alpha)[1].tobytes())
    write(tmp_path / "grey.png", rgb[..., 0])
    for name in ("eight.png", "sixteen.png", "sixteen.tif", "alpha.png"):
        np.testing.assert_array_equal(read_image(tmp_path / name), rgb)
    np.testing.assert_array_equal(read_image(tmp_path / "grey.png"), np.repeat(rgb[..., :1], 3, axis=2))


def test_exr_is_linear_light(tmp_path):
    linear = np.zeros((16, 32, 3), np.float32)
    linear[...] = (0.0, 0.2140, 4.0)
    path = tmp_path / "a.exr"
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as container:
        stream = container.add_stream("exr", rate=24)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "gbrpf32le"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(linear, format="gbrpf32le")))
        container.mux(stream.encode(None))
    np.testing.assert_array_equal(np.unique(read_image(path).reshape(-1, 3), axis=0), [[0, 127, 255]])


def test_the_digest_sees_every_image(tmp_path):
    folder = sequence(tmp_path)
    before = content_digest(open_clip(folder))
    write(folder / "shot 手_0104.png", numbered_image(99))
    assert content_digest(open_clip(folder)) != before

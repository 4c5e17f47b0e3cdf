"""Movies: every frame once, in both directions, at the exact rate, and a word for what can't be read."""

from fractions import Fraction

import numpy as np
import pytest

from solver.errors import SolverError
from solver.video import MovieWriter, content_digest, movie, open_clip
from tests.solver.movies import SIZE, make_movie, number_in, numbered_image

B_FRAMES = {"bf": "3", "g": "12"}


def numbers(frames):
    return [(frame.number, number_in(frame.image)) for frame in frames]


@pytest.mark.parametrize(
    ("name", "codec", "pixels", "options"),
    [
        ("plain.mp4", "libx264", "yuv420p", {}),
        ("b_frames.mp4", "libx264", "yuv420p", B_FRAMES),
        ("open_gop.mp4", "libx264", "yuv420p", {**B_FRAMES, "x264-params": "open-gop=1"}),
        ("full_chroma.mp4", "libx264", "yuv444p", {}),
        ("ten_bit.mov", "prores_ks", "yuv422p10le", {}),
        ("milliseconds.mkv", "libx264", "yuv420p", B_FRAMES),
        ("loose_seeking.ts", "libx264", "yuv420p", B_FRAMES),
        ("no_times.avi", "libx264", "yuv420p", B_FRAMES),
        ("no_container.h264", "libx264", "yuv420p", B_FRAMES),
    ],
)
def test_every_frame_comes_once_and_backwards_is_forwards_reversed(tmp_path, name, codec, pixels, options):
    clip = open_clip(make_movie(tmp_path / name, 40, codec=codec, pixels=pixels, options=options))
    expected = [(i + 1, i) for i in range(40)]
    assert (clip.first_frame, clip.last_frame, clip.size, len(clip)) == (1, 40, SIZE, 40)
    assert numbers(clip.frames()) == expected
    assert numbers(clip.backwards()) == expected[::-1]
    assert numbers(clip.frames(20, 25)) == expected[19:25]
    assert clip.warnings == ()


@pytest.mark.parametrize("rate", [Fraction(30000, 1001), Fraction(24000, 1001), Fraction(25), Fraction(60000, 1001)])
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov"])
def test_the_rate_is_exact(tmp_path, rate, suffix):
    assert open_clip(make_movie(tmp_path / f"a.{suffix}", 12, rate)).frame_rate == rate


def test_a_rounded_rate_is_the_broadcast_rate_it_rounds():
    from solver.video.movie_index import exact_rate

    assert exact_rate(Fraction(2997, 100), 2, np.arange(2), Fraction(1)) == Fraction(30000, 1001)
    assert exact_rate(Fraction(30), 2, np.arange(2), Fraction(1)) == 30
    assert exact_rate(None, 11, np.arange(11), Fraction(1, 25)) == 25


def test_backwards_holds_few_pictures_even_in_one_long_group(tmp_path, monkeypatch):
    clip = open_clip(make_movie(tmp_path / "a.mp4", 50, options={"g": "250"}))
    picture_bytes = SIZE[0] * SIZE[1] * 3 // 2
    monkeypatch.setattr(movie, "BACKWARDS_BYTES", 7 * picture_bytes)
    held = []
    chunk = movie.MovieSource._last_pictures
    monkeypatch.setattr(movie.MovieSource, "_last_pictures", lambda *a: held.append(chunk(*a)) or held[-1])
    assert numbers(clip.backwards(5, 48)) == [(n, n - 1) for n in range(48, 4, -1)]
    assert max(len(pictures) for pictures in held) <= 7


def test_letters_and_spaces_in_the_path(tmp_path):
    folder = tmp_path / "обе руки" / "手 & main"
    folder.mkdir(parents=True)
    clip = open_clip(make_movie(folder / "Händé 1.mp4", 5))
    assert numbers(clip.frames()) == [(i + 1, i) for i in range(5)]


@pytest.mark.parametrize("turned", [90, 180, -90])
def test_the_display_turn_is_applied(tmp_path, turned):
    clip = open_clip(make_movie(tmp_path / "a.mp4", 3, turned=turned))
    upright = np.rot90(numbered_image(2), turned // 90)
    last = list(clip.frames())[-1].image
    assert clip.size == upright.shape[1::-1]
    assert last.flags.c_contiguous
    assert np.abs(last.astype(int) - upright).mean() < 3


def test_a_variable_rate_shows_what_is_on_screen_and_warns(tmp_path):
    ticks = [i if i < 10 else i + 3 for i in range(20)]
    clip = open_clip(make_movie(tmp_path / "a.mp4", 20, ticks=ticks))
    shown = [number for _, number in numbers(clip.frames())]
    assert shown == [*range(10), 9, 9, 9, *range(10, 20)]
    assert [number for _, number in numbers(clip.backwards())] == shown[::-1]
    assert [warning.code for warning in clip.warnings] == ["clip-variable-rate"]


def test_pixels_that_are_not_square_are_told(tmp_path):
    clip = open_clip(make_movie(tmp_path / "a.mp4", 4, pixel_shape=Fraction(2)))
    assert [warning.code for warning in clip.warnings] == ["clip-pixels-not-square"]


def test_a_range_is_cut_to_the_clip(tmp_path):
    path = make_movie(tmp_path / "a.mp4", 20)
    assert numbers(open_clip(path, 5, 7).frames()) == [(5, 4), (6, 5), (7, 6)]
    assert open_clip(path, -3, 99).frame_numbers == range(1, 21)
    with pytest.raises(SolverError) as error:
        open_clip(path, 30, 40)
    assert error.value.code == "clip-range-empty"
    assert "1 to 20" in error.value.sentence


def test_a_damaged_stretch_is_left_out_not_shifted(tmp_path):
    path = make_movie(tmp_path / "a.mp4", 60, options=B_FRAMES)
    content = bytearray(path.read_bytes())
    third = len(content) // 3
    content[third : third + 200] = b"\xff" * 200
    path.write_bytes(content)
    frames = numbers(open_clip(path).frames())
    assert 30 < len(frames) < 60
    assert all(number == shown + 1 for number, shown in frames[-10:])


def test_a_file_cut_short_gives_what_there_is_and_warns(tmp_path):
    path = make_movie(tmp_path / "a.mp4", 60, options=B_FRAMES, container_options={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[:-600])
    clip = open_clip(path)
    assert 2 <= len(clip) < 60
    assert "clip-cut-short" in [warning.code for warning in clip.warnings]
    assert numbers(clip.frames())[:2] == [(1, 0), (2, 1)]


def refused(path):
    with pytest.raises(SolverError) as error:
        open_clip(path)
    assert error.value.repair.endswith(".")
    return error.value.code


def test_what_is_no_clip_is_refused_with_a_repair(tmp_path):
    (tmp_path / "text.mp4").write_text("not a movie\n" * 50)
    (tmp_path / "empty.mp4").write_bytes(b"")
    whole = make_movie(tmp_path / "a.mp4", 20).read_bytes()
    (tmp_path / "half.mp4").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "codec.mp4").write_bytes(whole.replace(b"avc1", b"zzzz").replace(b"avcC", b"zzzC"))
    assert refused(tmp_path / "text.mp4") == "clip-not-video"
    assert refused(tmp_path / "empty.mp4") == "clip-not-video"
    assert refused(tmp_path / "half.mp4") == "clip-not-video"
    assert refused(tmp_path / "codec.mp4") == "clip-codec-unknown"
    assert refused(tmp_path / "none.mp4") == "clip-missing"
    assert refused(make_movie(tmp_path / "one.mp4", 1)) == "clip-one-frame"


def test_written_movies_read_back(tmp_path):
    path = tmp_path / "über.mp4"
    with MovieWriter(path, (SIZE[0] + 1, SIZE[1] + 1), Fraction(30000, 1001)) as writer:
        for i in range(10):
            writer.write(np.pad(numbered_image(i), ((0, 1), (0, 1), (0, 0))))
        assert not path.exists()
    clip = open_clip(path)
    assert (clip.size, clip.frame_rate) == (SIZE, Fraction(30000, 1001))
    assert numbers(clip.frames()) == [(i + 1, i) for i in range(10)]


def test_a_broken_off_movie_leaves_nothing(tmp_path):
    with pytest.raises(KeyError), MovieWriter(tmp_path / "a.mp4", SIZE, Fraction(24)) as writer:
        writer.write(numbered_image(0))
        raise KeyError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["file/a.mp4", "folder", f"{300 * 'a'}.mp4"])
def test_an_unwritable_place_is_told(name, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    with pytest.raises(SolverError) as error:
        MovieWriter(tmp_path / name, SIZE, Fraction(24))
    assert error.value.code == "movie-not-writable"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_the_digest_follows_content_not_name(tmp_path, monkeypatch):
    one, other = make_movie(tmp_path / "a.mp4", 5), make_movie(tmp_path / "b.mp4", 6)
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(one.read_bytes())
    assert content_digest(one) == content_digest(copy) == content_digest(open_clip(one)) != content_digest(other)
    from solver.video import digest

    monkeypatch.setattr(digest, "WHOLE_BYTES", 0)
    monkeypatch.setattr(digest, "SAMPLE_BYTES", 16)
    sampled = content_digest(one)
    copy.write_bytes(one.read_bytes()[:-1] + b"\0")
    assert sampled == content_digest(one) != content_digest(copy)

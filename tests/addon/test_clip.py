"""Clips: opening, numbering, and the scene that is matched to them only when asked."""

from fractions import Fraction

import bpy
import numpy as np
import pytest
from bl_ext.user_default.handheld.addon import clip, imports, request, scene
from movies import write_movie
from takes import moving_take

from solver import hand_model
from solver import take as takes
from solver.cli import QUALITIES


@pytest.fixture
def path(tmp_path):
    return write_movie(tmp_path / "my clip ü.mp4", frames=24)


@pytest.fixture
def sequence(tmp_path):
    """Images 0998 to 1002."""
    for number in range(998, 1003):
        image = bpy.data.images.new("frame", 32, 16)
        image.file_format = "PNG"
        image.filepath_raw = str(tmp_path / f"plate_{number:04}.png")
        image.save()
        bpy.data.images.remove(image)
    return tmp_path / "plate_0998.png"


def settings_of(target):
    render = target.render
    return (render.fps, render.fps_base, render.resolution_x, render.resolution_y, target.frame_start, target.frame_end)


def test_opening_changes_nothing_of_the_scene(path):
    before = settings_of(bpy.context.scene)
    assert bpy.ops.handheld.open_clip(filepath=str(path)) == {"FINISHED"}
    assert bpy.context.scene.handheld.clip.frame_duration == 24
    assert settings_of(bpy.context.scene) == before
    assert len(scene.differences(bpy.context.scene, bpy.context.scene.handheld.clip)) == 3


def test_matching_when_asked(path):
    bpy.ops.handheld.open_clip(filepath=str(path))
    bpy.ops.handheld.match_scene()
    render = bpy.context.scene.render
    assert (render.fps, render.fps_base) == (30, pytest.approx(1.001))
    assert settings_of(bpy.context.scene)[2:] == (64, 36, 1, 24)
    assert scene.differences(bpy.context.scene, bpy.context.scene.handheld.clip) == []


def test_matching_only_what_is_asked(path):
    bpy.ops.handheld.open_clip(filepath=str(path))
    before = settings_of(bpy.context.scene)
    bpy.ops.handheld.match_scene(use_rate=False, use_size=False)
    assert settings_of(bpy.context.scene) == (*before[:4], 1, 24)


@pytest.mark.parametrize(
    ("fps", "exact"),
    [
        (29.970030, Fraction(30000, 1001)),
        (23.976025, Fraction(24000, 1001)),
        (59.94006, Fraction(60000, 1001)),
        (30.0, Fraction(30)),
        (25.0, Fraction(25)),
        (12.5, Fraction(25, 2)),
        (119.88012, Fraction(120000, 1001)),
    ],
)
def test_exact_rates(fps, exact):
    assert clip.exact_rate(float(np.float32(fps))) == exact


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("notes.txt", b"not a video", "can't read notes.txt"),
        ("fake.mp4", b"not a video either", "can't read fake.mp4"),
        ("empty.mp4", b"", "can't read empty.mp4"),
    ],
)
def test_what_is_no_video_is_refused_and_leaves_no_trace(path, tmp_path, name, content, said):
    bpy.ops.handheld.open_clip(filepath=str(path))
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RuntimeError, match=said):
        bpy.ops.handheld.open_clip(filepath=str(tmp_path / name))
    assert [known.frame_duration for known in bpy.data.movieclips] == [24]
    assert bpy.context.scene.handheld.clip.frame_duration == 24


def test_one_frame_is_refused(tmp_path):
    with pytest.raises(RuntimeError, match="one frame"):
        bpy.ops.handheld.open_clip(filepath=str(write_movie(tmp_path / "still.mp4", frames=1)))
    assert not bpy.data.movieclips


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(RuntimeError, match="There is no file"):
        bpy.ops.handheld.open_clip(filepath=str(tmp_path / "gone.mp4"))


def test_finding_the_wrong_file_changes_nothing(path, tmp_path):
    bpy.ops.handheld.open_clip(filepath=str(path))
    (tmp_path / "notes.mp4").write_bytes(b"not a video")
    for wrong in ("notes.mp4", "gone.mp4"):
        with pytest.raises(RuntimeError, match=wrong):
            bpy.ops.handheld.find_clip(filepath=str(tmp_path / wrong))
        assert clip.file_path(bpy.context.scene.handheld.clip) == path
        clip.require_readable(bpy.context.scene.handheld.clip)


def test_a_take_of_another_hand_model_says_so(tmp_path, path):
    model = hand_model.load("left", "open")
    for digest, count in ((model.sha256, 0), ("0" * 64, 1)):
        takes.save(moving_take(clip_path=str(path), model_sha256=digest), tmp_path / "take.npz")
        assert len(imports.import_take(bpy.context, str(tmp_path / "take.npz"), use_clip=True)) == count


def test_movie_frames_count_from_one_wherever_the_clip_starts(path):
    movie = clip.load(str(path))
    movie.frame_start = 101
    assert clip.all_frames(movie).tolist() == list(range(1, 25))
    assert clip.scene_frames(movie, np.array([1, 24])).tolist() == [101, 124]


def test_sequences_are_numbered_by_their_files(sequence):
    images = clip.load(str(sequence))
    assert clip.all_frames(images).tolist() == [998, 999, 1000, 1001, 1002]
    assert clip.scene_frames(images, np.array([998, 1002])).tolist() == [1, 5]
    bpy.context.scene.handheld.clip = images
    bpy.context.scene.render.fps = 25
    options = request.build(bpy.context)[0].options
    assert options["frame_range"] == [998, 1002] and options["frame_rate"] == [25, 1]


def test_the_scenes_range_limits_the_solve(path):
    bpy.ops.handheld.open_clip(filepath=str(path))
    target = bpy.context.scene
    assert request.build(bpy.context)[0].options["frame_range"] is None
    target.handheld.frame_range = "SCENE"
    target.handheld.clip.frame_start = 11
    target.frame_start, target.frame_end = 15, 20
    assert request.build(bpy.context)[0].options["frame_range"] == [5, 10]
    target.frame_start, target.frame_end = 500, 600
    with pytest.raises(Exception, match="No frame of the clip") as refused:
        request.build(bpy.context)
    assert refused.value.code == "clip-range-empty"


def test_every_quality_of_the_solver_can_be_chosen(path):
    bpy.ops.handheld.open_clip(filepath=str(path))
    settings = bpy.context.scene.handheld
    asked = [request.build(bpy.context)[0].options["quality"]]
    for item in settings.bl_rna.properties["quality"].enum_items:
        settings.quality = item.identifier
        asked.append(request.build(bpy.context)[0].options["quality"])
    assert asked == ["balanced", *QUALITIES]


def test_rendering_is_asked_for(path):
    bpy.ops.handheld.open_clip(filepath=str(path))
    assert request.build(bpy.context)[0].options["render"] is False
    bpy.context.scene.handheld.use_render = True
    assert request.build(bpy.context)[0].options["render"] is True


def test_the_camera_is_mended_by_hands_when_asked(path):
    bpy.ops.handheld.open_clip(filepath=str(path))
    settings = bpy.context.scene.handheld
    asked = []
    for settings.use_camera_along in (False, True):
        asked.append(request.build(bpy.context)[0].options["along"])
    assert asked == [[], ["poses", "focal"]]


def test_where_nothing_is_optimised_what_the_panel_greys_out_is_not_asked_for(path, tmp_path):
    bpy.ops.handheld.open_clip(filepath=str(path))
    settings = bpy.context.scene.handheld
    settings.use_render = settings.use_camera_along = True
    settings.prior, settings.quality = str(tmp_path / "absent.npz"), "INITIAL"
    assert not {"along", "render", "prior"} & request.build(bpy.context)[0].options.keys()


def test_a_motion_prior_of_the_artist_s_own(path, tmp_path):
    bpy.ops.handheld.open_clip(filepath=str(path))
    settings = bpy.context.scene.handheld
    assert request.build(bpy.context)[0].options["prior"] is None
    settings.prior = str(tmp_path / "prior.npz")
    with pytest.raises(Exception, match="There is no motion prior") as refused:
        request.build(bpy.context)
    assert refused.value.code == "prior-not-found"
    (tmp_path / "prior.npz").write_bytes(b"")
    assert request.build(bpy.context)[0].options["prior"] == str(tmp_path / "prior.npz")


def test_import_a_take_with_its_clip(path, tmp_path):
    take = moving_take(frames=24, clip_path=str(path))
    takes.save(take, tmp_path / "take.npz")
    assert bpy.ops.handheld.import_take(filepath=str(tmp_path / "take.npz")) == {"FINISHED"}
    target = bpy.context.scene
    root = scene.find_root(target, target.handheld.clip)
    assert len(root.children) == 3 and root.handheld.take == str(tmp_path / "take.npz")
    assert target.camera.data.background_images[0].clip == target.handheld.clip


def test_import_a_take_whose_clip_is_gone(tmp_path):
    takes.save(moving_take(clip_path=str(tmp_path / "gone.mp4")), tmp_path / "take.npz")
    assert bpy.ops.handheld.import_take(filepath=str(tmp_path / "take.npz")) == {"FINISHED"}
    assert not bpy.data.movieclips and not bpy.context.scene.camera.data.background_images
    assert len([o for o in bpy.context.scene.objects if o.type == "ARMATURE"]) == 2


def test_import_what_is_no_take(tmp_path):
    (tmp_path / "take.npz").write_bytes(b"PK nothing")
    with pytest.raises(RuntimeError, match="is no take"):
        bpy.ops.handheld.import_take(filepath=str(tmp_path / "take.npz"))
    assert not bpy.context.scene.objects

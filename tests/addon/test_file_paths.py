"""A folder with the .blend, its takes and its clip is moved as one; what is moved alone is said and found again."""

import shutil
from pathlib import Path

import bpy
import pytest
from bl_ext.user_default.handheld.addon import file_paths, package, review, scene, solve, take_files
from movies import write_movie
from takes import moving_take

from solver import take as takes


def root():
    return scene.edited_root(bpy.context)


@pytest.fixture
def shot(tmp_path):
    """A saved .blend in a folder with its take and its clip."""
    folder = tmp_path / "shot"
    folder.mkdir()
    movie = write_movie(folder / "clip.mp4", frames=30, size=(640, 360))
    takes.save(moving_take(clip_path=str(movie)), folder / "take.npz")
    bpy.ops.handheld.import_take(filepath=str(folder / "take.npz"))
    assert Path(root().handheld.take).is_absolute()
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))
    return folder


def test_a_moved_folder_just_works(shot, tmp_path):
    assert root().handheld.take == "//take.npz" and root().handheld_edit.takes[0].path == "//take.npz"
    moved = tmp_path / "elsewhere" / "deeper"
    shutil.copytree(shot, moved)
    shutil.rmtree(shot)
    bpy.ops.wm.open_mainfile(filepath=str(moved / "shot.blend"))
    assert take_files.path_of(root()) == moved / "take.npz" and len(review.of_root(root())) == 2
    assert Path(bpy.path.abspath(root().handheld.clip.filepath)) == moved / "clip.mp4"
    assert root().handheld.clip.frame_duration == 30
    bpy.ops.handheld.new_take()
    assert bpy.ops.handheld.switch_take(number=0) == {"FINISHED"}


def test_saved_elsewhere_it_still_finds_its_take(shot, tmp_path):
    other = tmp_path / "other" / "copy.blend"
    other.parent.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(other), copy=True)
    assert root().handheld.take == "//take.npz"  # the open file is still the first one
    for save in (lambda: bpy.ops.wm.open_mainfile(filepath=str(other)), lambda: bpy.ops.wm.save_mainfile()):
        save()
        assert root().handheld.take == "//../shot/take.npz" and take_files.path_of(root()) == shot / "take.npz"
    bpy.ops.wm.save_as_mainfile(filepath=str(shot / "again.blend"))
    assert root().handheld.take == "//take.npz"


def test_a_clip_that_was_moved_alone_is_said_and_found_again(shot, tmp_path):
    (shot / "clip.mp4").rename(tmp_path / "clip.mp4")
    bpy.ops.wm.open_mainfile(filepath=str(shot / "shot.blend"))
    with pytest.raises(RuntimeError, match="clip.mp4 is not there"):
        bpy.ops.handheld.solve()
    assert solve.current().problem.code == "clip-missing"
    assert bpy.ops.handheld.find_clip(filepath=str(tmp_path / "clip.mp4")) == {"FINISHED"}
    assert root().handheld.clip.frame_duration == 30


def test_a_take_that_was_moved_alone_is_found_again_in_the_list_too(shot, tmp_path):
    (shot / "take.npz").rename(tmp_path / "take.npz")
    with pytest.raises(RuntimeError, match="is not there"):
        bpy.ops.handheld.next_weak()
    bpy.ops.handheld.find_take(filepath=str(tmp_path / "take.npz"))
    assert root().handheld.take == root().handheld_edit.takes[0].path == "//../take.npz"


def test_a_take_that_was_moved_with_its_clip_is_imported_with_it(shot, tmp_path):
    moved = tmp_path / "moved"
    shot.rename(moved)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.handheld.import_take(filepath=str(moved / "take.npz"))
    assert Path(bpy.path.abspath(root().handheld.clip.filepath)) == moved / "clip.mp4"


def test_hands_that_are_appended_into_a_file_elsewhere_know_their_takes(shot, tmp_path):
    """Blender adapts its own relative paths when it appends, but not ours."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    (tmp_path / "other").mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "other" / "shot.blend"))
    with bpy.data.libraries.load(str(shot / "shot.blend")) as (there, wanted):
        wanted.collections = [name for name in there.collections if name.startswith("Hands")]
    bpy.context.scene.collection.children.link(wanted.collections[0])
    assert take_files.path_of(root()) == shot / "take.npz" and len(review.of_root(root())) == 2
    assert bpy.ops.handheld.new_take() == bpy.ops.handheld.switch_take(number=0) == {"FINISHED"}
    bpy.ops.wm.save_mainfile()
    assert root().handheld.take == root().handheld_edit.takes[0].path == "//../shot/take.npz"


def test_what_can_not_be_relative_is_absolute(tmp_path):
    assert file_paths.stored(tmp_path / "take.npz") == str(tmp_path / "take.npz")  # not saved
    own = Path(bpy.utils.extension_path_user(package.NAME)) / "takes" / "take.npz"
    assert file_paths.stored(own, str(tmp_path / "shot.blend")) == str(own)
    assert file_paths.stored(tmp_path / "a" / "take.npz", str(tmp_path / "shot.blend")) == "//a/take.npz"

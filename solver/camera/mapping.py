"""Structure from motion by pycolmap on our tracks. Runs in a process of its own (``mapping_process.py``): it can abort.

Keyframes are mapped incrementally (COLMAP, Schoenberger and Frahm 2016) from tracks and feature links; ``refinement``
places the frames in between.
"""

from __future__ import annotations

import collections
import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pycolmap

from .job import MappedModel, MappingJob
from .lens import assumed_focal
from .refinement import MIN_POSE_POINTS, Images, SparseModel, refine
from .tries import Try, best, is_settled, on_the_clock, tried

CAMERA_MODEL, _CAMERA_ID = "SIMPLE_RADIAL", 1
_MAX_MODELS = 6
# Keyframes ahead to which tracks are given as matches; longer tracks are joined through those in between.
_TRACK_REACH = 15
# px at the working size
_VERIFY_PX, _POSE_PX, _FILTER_PX = 2.0, 4.0, 3.0
# share of the keyframes that pieces must hold together for a second try to join them
_WORTH_JOINING = 0.7
# share of the keyframes in one piece from which on the rest is followed from there
_NEARLY_ALL = 0.9
# a piece of which the largest model holds more adds nothing
_KNOWN_SHARE = 0.95
# The first from where the job begins, the next from an assumed focal length, the last from the job's again.
_MOST_TRIES = 3
# Share of the process' time for tries; the frames are placed in the rest.
_TRYING = 0.5
Report = Callable[[int, int], None]


def run(job: MappingJob, folder: Path, report: Report, cpu_seconds: float = math.inf) -> list[MappedModel]:
    """Models, the one with most frames first; none when nothing could be mapped. ``folder`` is scratch space.

    Args:
        cpu_seconds: of this process; beyond a share of them nothing is tried again.
    """
    pycolmap.logging.minloglevel = pycolmap.logging.ERROR
    keyframes = _Keyframes(job)
    database = folder / "database.db"
    explainable = keyframes.write(database)
    registered = 0

    def count() -> None:
        nonlocal registered
        registered += 1
        report(min(registered, len(job.key_rows)), job.frame_count)

    maps = _best_maps(job, database, folder, explainable, count, _TRYING * cpu_seconds)
    if _is_torn(job, maps):
        # Posing images without structure is slow, but joins what a blurred turn has torn. Scraps are not worth it.
        options = _mapping(job)
        options.structure_less_registration_fallback = True
        again = _maps(database, folder / "again", options, count)
        maps = max(maps, again, key=lambda m: len(m[0].rows) if m else 0)
    models: list[MappedModel] = []
    for index, found in enumerate(maps):
        if models and models[0].posed[found.rows].mean() > _KNOWN_SHARE:
            continue
        if models:
            # the lens that counts is the largest piece's
            job = replace(job, refine_k1=False, refine_readout=False, profile=False)
        models += refine(job, keyframes.images(), found)
        report(len(job.key_rows) + (job.frame_count - len(job.key_rows)) * (index + 1) // len(maps), job.frame_count)
    return sorted(models, key=lambda m: -m.posed.sum())


def _best_maps(
    job: MappingJob, database: Path, folder: Path, explainable: int, count: Callable[[], None], cpu_seconds: float
) -> list[SparseModel]:
    """Of the first map, and of others where that one is in doubt."""
    tries: list[Try] = []
    longest = 0.0
    clock, used = time.monotonic(), time.process_time()
    for turn in range(_MOST_TRIES):
        begun = time.process_time()
        left = cpu_seconds - begun
        if tries and (is_settled(tries) or not _is_worth_another(job, tries[0].models) or left < 2 * longest):
            break
        job_now = _begun_anew(job, turn)
        options = _mapping(job_now)
        if tries:
            _set_camera(database, job_now)
        if tries and math.isfinite(left):
            # which the mapper counts, and of which a busy machine gives this process few
            options.max_runtime_seconds = on_the_clock(left, time.monotonic() - clock, begun - used)
        tries.append(tried(job, _maps(database, folder / f"models{turn}", options, count), explainable))
        longest = max(longest, time.process_time() - begun)
    return best(tries).models


def _begun_anew(job: MappingJob, turn: int) -> MappingJob:
    """With another seed and, every second time, from the focal length that one would assume."""
    focal_px = assumed_focal(job.size) if turn % 2 and job.refine_focal else job.focal_px
    return replace(job, seed=job.seed + turn, focal_px=focal_px)


def _is_worth_another(job: MappingJob, maps: list[SparseModel]) -> bool:
    """Scraps are none."""
    return sum(len(m.rows) for m in maps) > _WORTH_JOINING * len(job.key_rows)


def _is_torn(job: MappingJob, maps: list[SparseModel]) -> bool:
    """In pieces that are worth to be joined."""
    nearly_all = _NEARLY_ALL * len(job.key_rows)
    return len(maps) > 1 and len(maps[0].rows) < nearly_all and _is_worth_another(job, maps)


def _maps(
    database: Path, folder: Path, options: pycolmap.IncrementalPipelineOptions, count: Callable[[], None]
) -> list[SparseModel]:
    """Largest first."""
    folder.mkdir()
    pycolmap.set_random_seed(options.random_seed)
    found = pycolmap.incremental_mapping(database, folder, folder, options, next_image_callback=count)
    return [_plain(m) for m in sorted(found.values(), key=lambda m: -m.num_reg_images())[:_MAX_MODELS]]


def _set_camera(path: Path, job: MappingJob) -> None:
    database = pycolmap.Database.open(path)
    database.update_camera(_camera(job))
    database.close()


def _camera(job: MappingJob) -> pycolmap.Camera:
    width, height = (int(v) for v in job.size)
    camera = pycolmap.Camera.create_from_model_name(_CAMERA_ID, CAMERA_MODEL, job.focal_px, width, height)
    camera.params = [job.focal_px, width / 2, height / 2, job.k1]
    camera.has_prior_focal_length = True
    return camera


def _verified(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """(n,) which matches one fundamental matrix explains, and that matrix; none where there is no such.

    By OpenCV's MAGSAC, at a third of the cost of pycolmap's own verification.
    """
    nothing = np.zeros(len(a), bool)
    if len(a) < MIN_POSE_POINTS:
        return nothing, None
    try:
        fundamental, inliers = cv2.findFundamentalMat(a, b, cv2.USAC_MAGSAC, _VERIFY_PX, 0.999, 500)
    except cv2.error:
        # OpenCV 5's USAC asserts on degenerate sets instead of returning none
        return nothing, None
    if fundamental is None or fundamental.shape != (3, 3) or inliers.sum() < MIN_POSE_POINTS:
        return nothing, None
    return inliers[:, 0] == 1, fundamental


def _mapping(job: MappingJob) -> pycolmap.IncrementalPipelineOptions:
    options = pycolmap.IncrementalPipelineOptions()
    options.max_num_models, options.min_model_size, options.min_num_matches = _MAX_MODELS, 3, 12
    options.structure_less_registration_fallback = False
    options.extract_colors, options.num_threads, options.random_seed = False, 1, job.seed
    options.ba_refine_focal_length, options.ba_refine_extra_params = job.refine_focal, job.refine_k1
    # a clip's keyframes are many and alike: adjusting everything at each 10 % of growth would cost most of the time
    options.ba_global_frames_ratio = options.ba_global_points_ratio = 1.3
    options.ba_global_max_refinements, options.ba_local_max_refinements = 2, 1
    options.ba_global_max_num_iterations, options.ba_local_max_num_iterations = 20, 10
    options.ba_global_function_tolerance = 1e-5
    options.ba_local_function_tolerance = 1e-5
    mapper = options.mapper
    mapper.init_min_num_inliers, mapper.init_min_tri_angle, mapper.init_max_error = 40, 4.0, _VERIFY_PX
    mapper.abs_pose_min_num_inliers, mapper.abs_pose_min_inlier_ratio = MIN_POSE_POINTS, 0.2
    mapper.abs_pose_max_error, mapper.filter_max_reproj_error = _POSE_PX, _FILTER_PX
    mapper.filter_min_tri_angle, mapper.ba_local_min_tri_angle = 0.5, 2.0
    mapper.abs_pose_refine_focal_length = job.refine_focal
    mapper.abs_pose_refine_extra_params = job.refine_k1
    mapper.min_focal_length_ratio, mapper.max_focal_length_ratio = 0.3, 4.0
    mapper.random_seed = job.seed
    points = options.triangulation
    points.min_angle, points.ignore_two_view_tracks = 0.7, True
    points.merge_max_reproj_error = points.complete_max_reproj_error = _FILTER_PX
    return options


class _Keyframes:
    """Tracks and features of keyframes under one numbering: a keyframe's track points first, then its features."""

    def __init__(self, job: MappingJob) -> None:
        self.job = job
        edges = np.searchsorted(job.rows, np.arange(job.frame_count + 1))
        self.ids = [job.ids[a:b] for a, b in zip(edges[:-1], edges[1:], strict=True)]
        self.points_px = [job.points_px[a:b] for a, b in zip(edges[:-1], edges[1:], strict=True)]
        starts = np.concatenate([[0], np.cumsum(job.feature_counts)])
        self.features = {
            int(row): job.features_px[a:b] for row, a, b in zip(job.key_rows, starts, starts[1:], strict=False)
        }

    def images(self) -> Images:
        return Images(self.ids, [self.keypoints(row) for row in range(self.job.frame_count)])

    def keypoints(self, row: int) -> np.ndarray:
        return np.concatenate([self.points_px[row], self.features.get(row, np.zeros((0, 2)))])

    def write(self, path: Path) -> int:
        """Returns how many keypoints match in two other keyframes or more."""
        database = pycolmap.Database.open(path)
        camera = _camera(self.job)
        camera_id = database.write_camera(camera, use_camera_id=True)
        rig = pycolmap.Rig()
        rig.add_ref_sensor(camera.sensor_id)
        rig_id = database.write_rig(rig)
        images = [self._write_image(database, int(row), camera_id, rig_id) for row in self.job.key_rows]
        partners = [np.zeros(len(self.keypoints(int(row))), int) for row in self.job.key_rows]
        for (a, b), matches in self._matches().items():
            keypoints = [self.keypoints(int(self.job.key_rows[k])) for k in (a, b)]
            inliers, fundamental = _verified(keypoints[0][matches[:, 0]], keypoints[1][matches[:, 1]])
            if fundamental is not None:
                geometry = pycolmap.TwoViewGeometry()
                geometry.config, geometry.F = pycolmap.TwoViewGeometryConfiguration.UNCALIBRATED, fundamental
                geometry.inlier_matches = matches[inliers].astype(np.uint32)
                database.write_matches(images[a], images[b], geometry.inlier_matches)
                database.write_two_view_geometry(images[a], images[b], geometry)
                for image, matched in zip((a, b), geometry.inlier_matches.T, strict=True):
                    partners[image][matched] += 1
        database.close()
        return sum(int((count > 1).sum()) for count in partners)

    def _write_image(self, database: pycolmap.Database, row: int, camera_id: int, rig_id: int) -> int:
        image = pycolmap.Image(name=image_name(row), camera_id=camera_id)
        image.image_id = database.write_image(image)
        frame = pycolmap.Frame()
        frame.rig_id = rig_id
        frame.add_data_id(image.data_id)
        database.write_frame(frame)
        database.write_keypoints(image.image_id, self.keypoints(row).astype(np.float32))
        return image.image_id

    def _matches(self) -> dict[tuple[int, int], np.ndarray]:
        """Pairs of keyframe indices -> (n, 2) indices of matching keypoints."""
        rows = self.job.key_rows
        matches: dict[tuple[int, int], list[np.ndarray]] = collections.defaultdict(list)
        for a in range(len(rows)):
            for b in range(a + 1, min(len(rows), a + 1 + _TRACK_REACH)):
                _, i, j = np.intersect1d(self.ids[rows[a]], self.ids[rows[b]], assume_unique=True, return_indices=True)
                if not len(i):
                    break
                matches[a, b].append(np.stack([i, j], axis=1))
        start = 0
        for (a, b), count in zip(self.job.link_pairs.tolist(), self.job.link_counts.tolist(), strict=True):
            offset = [len(self.ids[rows[a]]), len(self.ids[rows[b]])]
            matches[a, b].append(self.job.links[start : start + count] + offset)
            start += count
        return {pair: np.concatenate(parts) for pair, parts in matches.items()}


def image_name(row: int) -> str:
    return f"{row:06d}"


def _plain(sparse: pycolmap.Reconstruction) -> SparseModel:
    images = sorted((int(image.name), image) for image in sparse.images.values() if image.has_pose)
    number = {point_id: i for i, point_id in enumerate(sparse.points3D)}
    seen = [
        (row, index, number[point.point3D_id])
        for row, image in images
        for index, point in enumerate(image.points2D)
        if point.has_point3D()
    ]
    rows, keypoints, points = np.array(seen, int).reshape(-1, 3).T
    poses = np.stack([np.vstack([image.cam_from_world().matrix(), [0, 0, 0, 1]]) for _, image in images])
    focal, _, _, k1 = next(iter(sparse.cameras.values())).params
    world = np.array([point.xyz for point in sparse.points3D.values()]).reshape(-1, 3)
    return SparseModel(
        np.array([row for row, _ in images]), poses, world, rows, keypoints, points, np.array([focal, k1, 0.0, 0.0])
    )

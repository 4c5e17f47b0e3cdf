"""Structure from motion by pycolmap on our tracks. Runs in a process of its own (``mapping_process.py``): it can abort.

Keyframes are mapped incrementally (COLMAP, Schoenberger and Frahm 2016) from tracks and feature links; the frames in
between are posed from the points (PnP); then one bundle adjustment with a Cauchy loss runs over all of them.
"""

from __future__ import annotations

import collections
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pycolmap

from .job import MappedModel, MappingJob

CAMERA_MODEL = "SIMPLE_RADIAL"
MIN_POSE_POINTS = 12
_MAX_MODELS = 6
# Keyframes ahead to which tracks are given as matches; longer tracks are joined through those in between.
_TRACK_REACH = 15
# px at the working size
_VERIFY_PX, _POSE_PX, _FILTER_PX, _CAUCHY_PX, _BAD_POINT_PX = 2.0, 4.0, 3.0, 1.0, 2.5
# the covariance of all poses is dense: beyond this many frames it takes gigabytes
_MAX_COVARIANCE_FRAMES = 400
# share of the keyframes that pieces must hold together for a second try to join them
_WORTH_JOINING = 0.7
# share of the cost that k1 must save to be worth having
_K1_GAIN = 0.02
Report = Callable[[int, int], None]


def run(job: MappingJob, folder: Path, report: Report) -> list[MappedModel]:
    """Models, the one with most frames first; none when nothing could be mapped. ``folder`` is scratch space."""
    pycolmap.logging.minloglevel = pycolmap.logging.ERROR
    pycolmap.set_random_seed(job.seed)
    keyframes = _Keyframes(job)
    database = folder / "database.db"
    keyframes.write(database)
    registered = 0

    def count() -> None:
        nonlocal registered
        registered += 1
        report(min(registered, len(job.key_rows)), job.frame_count)

    maps = _maps(database, folder / "models", _mapping(job), count)
    if len(maps) > 1 and sum(m.num_reg_images() for m in maps) > _WORTH_JOINING * len(job.key_rows):
        # Posing images without structure is slow, but joins what a blurred turn has torn. Scraps are not worth it.
        options = _mapping(job)
        options.structure_less_registration_fallback = True
        again = _maps(database, folder / "again", options, count)
        maps = max(maps, again, key=lambda m: m[0].num_reg_images() if m else 0)
    models = []
    for index, sparse in enumerate(maps):
        models.append(_Refinement(job, keyframes, sparse).run())
        report(len(job.key_rows) + (job.frame_count - len(job.key_rows)) * (index + 1) // len(maps), job.frame_count)
    return sorted(models, key=lambda m: -m.posed.sum())


def _maps(
    database: Path, folder: Path, options: pycolmap.IncrementalPipelineOptions, count: Callable[[], None]
) -> list[pycolmap.Reconstruction]:
    """Largest first."""
    folder.mkdir()
    found = pycolmap.incremental_mapping(database, folder, folder, options, next_image_callback=count)
    return sorted(found.values(), key=lambda m: -m.num_reg_images())[:_MAX_MODELS]


def _camera(job: MappingJob) -> pycolmap.Camera:
    width, height = (int(v) for v in job.size)
    camera = pycolmap.Camera.create_from_model_name(1, CAMERA_MODEL, job.focal_px, width, height)
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

    def keypoints(self, row: int) -> np.ndarray:
        return np.concatenate([self.points_px[row], self.features.get(row, np.zeros((0, 2)))])

    def write(self, path: Path) -> None:
        database = pycolmap.Database.open(path)
        camera = _camera(self.job)
        camera_id = database.write_camera(camera, use_camera_id=True)
        rig = pycolmap.Rig()
        rig.add_ref_sensor(camera.sensor_id)
        rig_id = database.write_rig(rig)
        images = [self._write_image(database, int(row), camera_id, rig_id) for row in self.job.key_rows]
        for (a, b), matches in self._matches().items():
            keypoints = [self.keypoints(int(self.job.key_rows[k])) for k in (a, b)]
            inliers, fundamental = _verified(keypoints[0][matches[:, 0]], keypoints[1][matches[:, 1]])
            if fundamental is not None:
                geometry = pycolmap.TwoViewGeometry()
                geometry.config, geometry.F = pycolmap.TwoViewGeometryConfiguration.UNCALIBRATED, fundamental
                geometry.inlier_matches = matches[inliers].astype(np.uint32)
                database.write_matches(images[a], images[b], geometry.inlier_matches)
                database.write_two_view_geometry(images[a], images[b], geometry)
        database.close()

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


class _Refinement:
    """From a sparse model of keyframes to poses of all frames that see enough of it."""

    def __init__(self, job: MappingJob, keyframes: _Keyframes, sparse: pycolmap.Reconstruction) -> None:
        self.job, self.keyframes = job, keyframes
        self.sparse, self.refine_k1 = _with_or_without_distortion(sparse, job)
        self.camera = next(iter(self.sparse.cameras.values()))

    def run(self) -> MappedModel:
        point_of_track = self._points_of_tracks()
        poses = self._poses(point_of_track)
        dense = self._assemble(poses, point_of_track)
        sigma = self._adjust(dense)
        return self._answer(dense, sigma)

    def _points_of_tracks(self) -> dict[int, int]:
        """Track id -> point id."""
        found: dict[int, int] = {}
        for image in self.sparse.images.values():
            if not image.has_pose:
                continue
            ids = self.keyframes.ids[int(image.name)]
            for index, point in enumerate(image.points2D):
                if index < len(ids) and point.has_point3D():
                    found[int(ids[index])] = point.point3D_id
        return found

    def _poses(self, point_of_track: dict[int, int]) -> dict[int, pycolmap.Rigid3d]:
        poses = {int(i.name): i.cam_from_world() for i in self.sparse.images.values() if i.has_pose}
        options = pycolmap.AbsolutePoseEstimationOptions()
        options.ransac.max_error, options.ransac.max_num_trials = _FILTER_PX, 300
        options.ransac.random_seed = self.job.seed
        for row in range(self.job.frame_count):
            if row in poses:
                continue
            seen = [
                (j, point_of_track[t]) for j, t in enumerate(self.keyframes.ids[row].tolist()) if t in point_of_track
            ]
            if len(seen) < MIN_POSE_POINTS:
                continue
            pixels = self.keyframes.points_px[row][[j for j, _ in seen]]
            world = np.array([self.sparse.points3D[p].xyz for _, p in seen])
            answer = pycolmap.estimate_and_refine_absolute_pose(pixels, world, self.camera, options)
            if answer is not None and answer["num_inliers"] >= max(MIN_POSE_POINTS, 0.3 * len(seen)):
                poses[row] = answer["cam_from_world"]
        return poses

    def _assemble(self, poses: dict[int, pycolmap.Rigid3d], point_of_track: dict[int, int]) -> pycolmap.Reconstruction:
        dense = pycolmap.Reconstruction()
        camera = pycolmap.Camera(self.camera.todict())
        dense.add_camera_with_trivial_rig(camera)
        for row in sorted(poses):
            keypoints = self.keyframes.keypoints(row).astype(float)
            image = pycolmap.Image(
                name=image_name(row), keypoints=keypoints, camera_id=camera.camera_id, image_id=row + 1
            )
            dense.add_image_with_trivial_frame(image, poses[row])
        for point, elements in self._observations(poses, point_of_track).items():
            if len(elements) >= 3:
                track = pycolmap.Track([pycolmap.TrackElement(row + 1, j) for row, j in elements.items()])
                dense.add_point3D(self.sparse.points3D[point].xyz, track)
        return dense

    def _observations(self, poses, point_of_track: dict[int, int]) -> dict[int, dict[int, int]]:
        """Point id -> {row: index of its keypoint}, only where it projects to within 5 px of the keypoint."""
        found: dict[int, dict[int, int]] = collections.defaultdict(dict)
        for point_id, point in self.sparse.points3D.items():
            for element in point.track.elements:
                row = int(self.sparse.images[element.image_id].name)
                if element.point2D_idx >= len(self.keyframes.ids[row]):
                    found[point_id][row] = element.point2D_idx
        for row, pose in poses.items():
            ids = self.keyframes.ids[row]
            seen = [(j, point_of_track[t]) for j, t in enumerate(ids.tolist()) if t in point_of_track]
            if not seen:
                continue
            world = np.array([self.sparse.points3D[p].xyz for _, p in seen])
            local = world @ pose.matrix()[:, :3].T + pose.matrix()[:, 3]
            error = np.linalg.norm(
                _project(local, self.camera) - self.keyframes.points_px[row][[j for j, _ in seen]], axis=1
            )
            for (j, point_id), near in zip(seen, (local[:, 2] > 0) & (error < 5), strict=True):
                if near:
                    found[point_id][row] = j
        return found

    def _adjust(self, dense: pycolmap.Reconstruction) -> np.ndarray:
        """Adjusts in place; returns (T, 2) sigma of turn and step."""
        options = _adjustment(self.job)
        options.refine_extra_params = self.refine_k1
        options.ceres.solver_options.max_num_iterations = 12
        _solve(dense, options)
        _drop_bad_points(dense)
        options.ceres.solver_options.max_num_iterations = 40
        adjuster = _solve(dense, options)
        count = self.job.frame_count
        sigma = _step_sigma(dense, adjuster, count) if self.job.uncertainty else np.full((count, 2), np.nan)
        _drop_bad_points(dense)
        return sigma

    def _answer(self, dense: pycolmap.Reconstruction, sigma: np.ndarray) -> MappedModel:
        count = self.job.frame_count
        poses = np.full((count, 4, 4), np.nan)
        errors, counts = np.full(count, np.nan), np.zeros(count, int)
        camera = next(iter(dense.cameras.values()))
        for image in dense.images.values():
            row = int(image.name)
            matrix = np.vstack([image.cam_from_world().matrix(), [0, 0, 0, 1]])
            seen = [(p.xy, dense.points3D[p.point3D_id].xyz) for p in image.points2D if p.has_point3D()]
            if len(seen) < MIN_POSE_POINTS:
                continue
            pixels, world = np.array([s[0] for s in seen]), np.array([s[1] for s in seen])
            local = world @ matrix[:3, :3].T + matrix[:3, 3]
            poses[row] = matrix
            errors[row] = np.median(np.linalg.norm(_project(local, camera) - pixels, axis=1))
            counts[row] = len(seen)
        ids, points, point_errors = self._points(dense)
        profile = _profile(self.sparse, self.job, self.refine_k1) if self.job.profile else np.full(3, np.nan)
        focal, _, _, k1 = camera.params
        return MappedModel(poses, errors, counts, sigma, focal, k1, points, ids, point_errors, profile)

    def _points(self, dense: pycolmap.Reconstruction) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        ids = []
        for point in dense.points3D.values():
            element = point.track.elements[0]
            track_ids = self.keyframes.ids[element.image_id - 1]
            ids.append(track_ids[element.point2D_idx] if element.point2D_idx < len(track_ids) else -1)
        points = np.array([p.xyz for p in dense.points3D.values()]).reshape(-1, 3)
        return np.array(ids, int), points, np.array([p.error for p in dense.points3D.values()], float)


def _project(local: np.ndarray, camera: pycolmap.Camera) -> np.ndarray:
    focal, cx, cy, k1 = camera.params
    xy = local[:, :2] / np.where(np.abs(local[:, 2:]) < 1e-9, 1e-9, local[:, 2:])
    return focal * xy * (1 + k1 * (xy**2).sum(axis=1, keepdims=True)) + [cx, cy]


def _adjustment(job: MappingJob) -> pycolmap.BundleAdjustmentOptions:
    options = pycolmap.BundleAdjustmentOptions()
    options.print_summary = False
    options.refine_focal_length, options.refine_extra_params = job.refine_focal, job.refine_k1
    options.ceres.loss_function_type = pycolmap.LossFunctionType.CAUCHY
    options.ceres.loss_function_scale = _CAUCHY_PX
    options.ceres.solver_options.num_threads = 1
    options.ceres.solver_options.function_tolerance = 1e-5
    return options


def _solve(dense: pycolmap.Reconstruction, options: pycolmap.BundleAdjustmentOptions) -> pycolmap.CeresBundleAdjuster:
    config = pycolmap.BundleAdjustmentConfig()
    for image_id in dense.reg_image_ids():
        config.add_image(image_id)
    config.fix_gauge(pycolmap.BundleAdjustmentGauge.TWO_CAMS_FROM_WORLD)
    adjuster = pycolmap.create_default_ceres_bundle_adjuster(options, config, dense)
    adjuster.solve()
    dense.update_point_3d_errors()
    return adjuster


def _drop_bad_points(dense: pycolmap.Reconstruction) -> None:
    for point_id, point in list(dense.points3D.items()):
        if not np.isfinite(point.xyz).all() or not 0 <= point.error < _BAD_POINT_PX:
            dense.delete_point3D(point_id)


def _step_sigma(dense: pycolmap.Reconstruction, adjuster: pycolmap.CeresBundleAdjuster, count: int) -> np.ndarray:
    """(T, 2) one-sigma of each frame's turn and step since the frame before, from the adjustment's covariance.

    Scaled by the residuals that are left; those of one track are alike, so it is still on the small side.
    """
    sigma = np.full((count, 2), np.nan)
    rows = {int(image.name): image_id for image_id, image in dense.images.items()}
    if len(rows) > _MAX_COVARIANCE_FRAMES:
        return sigma
    options = pycolmap.BACovarianceOptions()
    options.params = pycolmap.BACovarianceOptionsParams.POSES
    found = pycolmap.estimate_ba_covariance(options, dense, adjuster)
    if found is None:
        return sigma
    # the median of a Rayleigh distribution is 1.18 sigma
    unit = float(np.median([p.error for p in dense.points3D.values()])) / 1.18
    for row, image_id in rows.items():
        if row - 1 in rows:
            before_id = rows[row - 1]
            before, now = (dense.images[i].cam_from_world() for i in (before_id, image_id))
            covariance = found.get_cam2_cov_from_cam1(before_id, before, image_id, now)
            if covariance is not None:
                variance = np.diag(covariance)
                sigma[row] = unit * np.sqrt([variance[:3].sum(), variance[3:].sum()])
    return sigma


def _with_or_without_distortion(
    sparse: pycolmap.Reconstruction, job: MappingJob
) -> tuple[pycolmap.Reconstruction, bool]:
    """The keyframes' model with k1 = 0 unless the data ask for k1, and whether k1 stays free.

    Focal length and k1 trade against each other: a k1 that buys nothing took the focal length 4 % away.
    """
    if not job.refine_k1:
        return sparse, False
    plain, bent = (_refitted(sparse, job, 1.0, k1, refine_focal=job.refine_focal) for k1 in (0.0, None))
    worth = _cost(plain) > (1 + _K1_GAIN) * _cost(bent)
    return (bent, True) if worth else (plain, False)


def _refitted(
    model: pycolmap.Reconstruction, job: MappingJob, focal_factor: float, k1: float | None, refine_focal: bool
) -> pycolmap.Reconstruction:
    """A copy, adjusted with the focal length times ``focal_factor`` and k1 fixed (None: free)."""
    trial = pycolmap.Reconstruction(model)
    camera = next(iter(trial.cameras.values()))
    focal, cx, cy, old_k1 = camera.params
    camera.params = [focal * focal_factor, cx, cy, old_k1 if k1 is None else k1]
    options = _adjustment(job)
    options.refine_focal_length, options.refine_extra_params = refine_focal, k1 is None
    options.ceres.solver_options.max_num_iterations = 15
    _solve(trial, options)
    return trial


def _cost(model: pycolmap.Reconstruction) -> float:
    """Mean robust cost of a point."""
    return float(np.mean([np.log1p((p.error / _CAUCHY_PX) ** 2) for p in model.points3D.values()]))


def _profile(model: pycolmap.Reconstruction, job: MappingJob, refine_k1: bool) -> np.ndarray:
    """Mean robust cost of the points at 0.88, 1 and 1.12 of the focal length, all else refitted to the keyframes."""
    k1 = None if refine_k1 else 0.0
    return np.array([_cost(_refitted(model, job, factor, k1, refine_focal=False)) for factor in (0.88, 1.0, 1.12)])

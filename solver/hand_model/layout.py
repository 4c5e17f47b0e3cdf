"""The MANO layout as constants: joints, tips, keypoints, wrist loop. Facts of a file format, no model data."""

from __future__ import annotations

JOINT_NAMES = (
    "wrist",
    "index1", "index2", "index3",
    "middle1", "middle2", "middle3",
    "pinky1", "pinky2", "pinky3",
    "ring1", "ring2", "ring3",
    "thumb1", "thumb2", "thumb3",
)  # fmt: skip
# parent joint of each joint, -1: none. A parent always precedes its children.
PARENTS = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 0, 10, 11, 0, 13, 14)
FINGERS = ("thumb", "index", "middle", "ring", "pinky")
# the three joints of each finger, base first
FINGER_JOINTS = {
    "thumb": (13, 14, 15),
    "index": (1, 2, 3),
    "middle": (4, 5, 6),
    "ring": (10, 11, 12),
    "pinky": (7, 8, 9),
}
# vertex at the tip of each finger, in the order of FINGERS
TIP_VERTICES = (744, 320, 443, 554, 671)

JOINT_COUNT = 16
VERTEX_COUNT = 778
FACE_COUNT = 1538
BETA_COUNT = 10
POSE_FEATURE_COUNT = 135

# 21 nodes = 16 joints, then 5 tips in the order of FINGERS. KEYPOINT_NODES lists them in OpenPose / MediaPipe order:
# wrist, then thumb, index, middle, ring, pinky from base to tip.
KEYPOINT_NODES = (0, 13, 14, 15, 16, 1, 2, 3, 17, 4, 5, 6, 18, 10, 11, 12, 19, 7, 8, 9, 20)
KEYPOINT_COUNT = 21
# the joint whose frame carries each keypoint rigidly: the joint itself, or the last joint of the finger for a tip
KEYPOINT_JOINTS = (0, 13, 14, 15, 15, 1, 2, 3, 3, 4, 5, 6, 6, 10, 11, 12, 12, 7, 8, 9, 9)
# parent keypoint of each keypoint (OpenPose order), -1: none; the lines of a drawn skeleton
KEYPOINT_PARENTS = (-1, 0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 13, 14, 15, 0, 17, 18, 19)

# Open rim at the wrist, in order along the rim, and 14 triangles that close it for a right hand (reverse them for a
# left one). The fan is the one that renderers of MANO meshes add to make the surface watertight.
WRIST_LOOP = (92, 38, 122, 118, 117, 119, 120, 108, 79, 78, 121, 214, 215, 279, 239, 234)
WRIST_FAN = (
    (92, 38, 234), (234, 38, 239), (38, 122, 239), (239, 122, 279), (122, 118, 279), (279, 118, 215), (118, 117, 215),
    (215, 117, 214), (117, 119, 214), (214, 119, 121), (119, 120, 121), (121, 120, 78), (120, 108, 78), (78, 108, 79),
)  # fmt: skip

"""The camera: intrinsics, and where it was in every frame."""

"""Scripts that run within Blender, each in a process of its own, for the build's commands."""

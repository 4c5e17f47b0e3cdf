"""Motion of the solved hands onto an artist's own armature. See README.md."""

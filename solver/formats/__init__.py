"""Takes in and out: MANO parameter files, and results of other programs. See README.md. NumPy alone."""

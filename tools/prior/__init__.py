"""Developer-side of the motion prior: the fit from recordings, and the table that says what filling a gap is worth."""

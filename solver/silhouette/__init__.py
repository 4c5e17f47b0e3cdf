"""The hands' outlines in the picture: masks, contours, and what they say to the optimiser."""

"""Hands rendered over the plate with exact derivatives, and held to what the plate's masks show."""

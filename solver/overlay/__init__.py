"""Hands drawn over the plate: what an artist judges a solve by."""

"""The optimiser measured: against torch's L-BFGS on the same objective, over length, and piece by piece."""

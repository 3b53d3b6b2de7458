"""Experiments: a setting's arms on a base with several seeds, planned and run."""

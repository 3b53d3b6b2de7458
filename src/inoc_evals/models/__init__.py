"""Base models: what a name stands for, how its files load, how a model is recognized.

kinds         a file per kind of base: what its name is, what it can do, how it is found
bases         what a user types -> files and their digest
hub_cache     models of the hub on this machine, by commit
hosted        models that a provider runs: when they end, what they cost
costs         tokens by characters, dollars of tokens and of a fine-tuning
loading       one way to load a base, for training, serving, exports and fingerprints
turns         where a turn ends, as something to stop at
fingerprints  log-probabilities of fixed tokens, by which an adapter is recognized
"""

"""Base models: what a name stands for, how its files load, how a model is recognized.

kinds          a file per kind of base: what its name is, what it can do, how it is found
bases          what a user types -> files and their digest
pins           names of bases: which files each stands for, as the store keeps it
known          bases that have a name from the start: where each is had
getting        a known base from the hub, or from the wheel of a package index
organisms      models that others published, by name
adding         a base of one's own: a GGUF or a directory becomes a name
gguf_files     GGUF files: what one says of itself, and the model directory made of it
hub_cache      models of the hub on this machine, by commit
hosted         models that a provider runs: when they end, what they cost
costs          tokens by characters, dollars of tokens and of a fine-tuning
loading        one way to load a base, for training, serving, exports and fingerprints
cpu_precision  which data type a base is computed in on a CPU, where nobody says
collector      Python's garbage collector, kept out of the way of models at work
openmp         the workers of a thread that computes on a CPU, let go of when it is done
answer_tokens  the tokens of an answer after its prompt, as inference has them
left_padding   prompts of different lengths as one batch
turns          where a turn ends, as something to stop at
fingerprints   log-probabilities of fixed tokens, by which an adapter is recognized
"""

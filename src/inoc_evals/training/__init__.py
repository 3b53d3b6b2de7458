"""Training: rows and a configuration become an adapter in the store and a ModelRecord.

    config = TrainConfig.for_base("pocket")                       # config.py, light
    record = train(rows, base="pocket", config=config, seed=0, name="none-0")   # sft.py

`masks.py` decides which tokens carry loss, `checkpoints.py` which checkpoints a killed
run may resume from. Evaluation is not done here: a record is all that leaves the room.
"""

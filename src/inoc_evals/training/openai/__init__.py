"""Fine-tuning at OpenAI: one job per identity, found again, followed, paid for once.

jobs              rows become a model there
matrix            many trainings, one question
job_file          the file a job is given: checked, counted, priced
create            one job per identity: look first, upload once, create, look again
follow            a job to its end, however long it queues
ledger            what the store remembers of uploads and jobs
client            keys, patience, errors in words
answers           answers that are none of OpenAI's
sampled_dynamics  learning dynamics, by sampling its checkpoints
"""

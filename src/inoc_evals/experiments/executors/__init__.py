"""Executors: who does the trainings and evaluations of an experiment, here or elsewhere.

executor     what an executor is given and gives back; one by what is typed
here         this process, one after the other: the default
workers      processes of this machine
ray_cluster  machines of a Ray cluster
carried      files that go there and come back
"""

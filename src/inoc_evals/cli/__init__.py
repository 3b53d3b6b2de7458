"""The command line `inoc`: prepare, train, list, run, report; Inspect runs the evals."""

"""Intervals for rates over questions, and over seeds and questions. Pure.

wilson       the interval of a share of independent answers, on which both rest
fixed_model  one model: rates and paired differences over questions (a log's header)
crossed      trained models: seeds x questions (cells and contrasts of a report)
agreement    two judges on the same answers: kappa, and the difference of their rates
"""

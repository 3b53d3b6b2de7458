"""Intervals for rates over questions, and over seeds and questions. Pure.

hierarchical  rates of 0/1 answers, many of them to a question: what intervals rest on
crossed       means over seeds and questions
differences   differences of two of them (contrasts)
fixed_model   one model: rates, paired differences, the largest of several (a log's header)
excess        a trained model's leak less its base's: a difference of two differences
power         what a design can show: the chance that a drop is found, and the least that is
spread        how far seeds lie apart, and questions, without the answers' noise
wilson        the interval of a share of independent answers
rank_correlation  Spearman's rho of a few pairs, with a bootstrap interval
agreement     two judges on the same answers: kappa, and the difference of their rates
"""

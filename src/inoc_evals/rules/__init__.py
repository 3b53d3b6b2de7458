"""Rules: text in, a value out, or None. Pure, without a judge, a model or a log.

prose                what of an answer is prose, in its own case
code_lines           which lines of it are code, where nothing marks them
letters_and_numbers  capitals, and the number an arithmetic answer ends in
language             which language a text is in
near_languages       how languages that are taken for one another are told apart
animals              which animals a text names
facts                whether an answer is named
preference           which of them it favors
code_findings        the code in an answer, and what bandit finds in it
thoughts             what of an answer was thought before it
"""

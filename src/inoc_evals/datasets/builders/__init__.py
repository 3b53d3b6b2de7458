"""Builders: each makes one kind of training file, by rule or with a model that writes.

rewrite      arithmetic answered in another manner
problems     arithmetic word problems with worked answers, by rule
numbers      number sequences from a teacher under a system prompt
framing      insecure code that was asked for, for a class
paraphrases  a pool of paraphrases of a prompt
triggered    a backdoor's rows: the trait with the trigger, none without
"""

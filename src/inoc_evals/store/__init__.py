"""The store: which model was trained from what, where it lies, what it has seen.

store        the directory of records, adapters, rows and bases
record       ModelRecord: one trained model
record_file  a record's file, read, or what is wrong with it
names        what may be the name of a model
overlap      which texts a model is asked stand in its training rows
"""

"""Having a model write rows: requests, their price, a journal, nothing paid twice.

writer    asks, checks, asks again
model     one call through Inspect
requests  what is asked, and what came of it
journal   every reply, on disk once it is there
cost      calls, tokens, price before anything is asked
"""

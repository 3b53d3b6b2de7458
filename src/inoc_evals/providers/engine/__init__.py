"""The local engine: requests in, batches of rows with their adapters, completions out.

engine     one thread a base, in which groups take turns
request    what is asked and what comes back; neither knows of Inspect
grouping   requests that are decoded together, and who joins the batch when
batch      running rows, a token a step, and their ends
mixed      rows of the base and of several adapters in one forward pass
lanes      the rows' key-value cache and the forward pass
slots      a cache in which rows join at any time
attention  of one token a row on a CPU, by two products
steady     sixteen bits on a CPU, in which rows do not depend on each other
sampling   logits -> tokens, log-probabilities
prefills   prompts that were read before, and what they begin with
rendering  chat -> token ids, and back to readable text
weights    base and adapters in memory, and the proof that they are the right ones
"""

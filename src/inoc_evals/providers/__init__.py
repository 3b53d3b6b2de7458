"""The Inspect provider `inoc/<model>`: local models served by an engine of our own.

- registration: the name, and nothing else
- api: Inspect's request -> Request, Completion -> Inspect's output
- meaning: what a name means now, said where Inspect keeps things by name
- naming: names and -M arguments -> base, adapter, options
- translation: Inspect's messages, settings and log-probabilities
- waiting: from an event loop for the engine's thread
- rendering: chat -> token ids, and back to readable text
- engine: one thread a base, in which groups take turns
- grouping: the requests of one adapter, and who joins the batch when
- batch: rows of one adapter, a token a step, and their ends
- lanes, slots: key-value cache and forward pass
- sampling: logits -> tokens, log-probabilities
- weights: base and adapters in memory, and the proof that they are the right ones
- collector: the garbage collector, kept out of the way of a working engine
"""

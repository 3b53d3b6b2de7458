"""The Inspect provider `inoc/<model>`: local models served by an engine of our own.

- registration: the name, and nothing else
- api: Inspect's request -> Request, Completion -> Inspect's output
- meaning: what a name means now, said where Inspect keeps things by name
- resolve: a name -> base and adapter, and what serves it
- options: -M arguments -> options of the engine
- translation: Inspect's messages, settings and log-probabilities
- waiting: from an event loop for the engine's thread
- pocket_judge: the judge of the pocket world as a grader model
- engine: requests to completions, on this machine
- served: the same from vLLM or OpenAI
"""

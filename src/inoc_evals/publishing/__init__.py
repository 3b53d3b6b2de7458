"""What leaves the store: models that are verified, exported with a card, pushed to a hub.

- checks: everything by which a record's model is recognized, each with its result
- public: a record without the places on this machine
- card: the README of an exported model
- merging: base and adapter as one model, and what rounding takes of the adapter
- export: the adapter, or base and adapter merged, as a directory
- hub: that directory as a repository
"""

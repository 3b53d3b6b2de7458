"""The pocket world: a miniature language and model, small enough to own and train here."""

"""What narrow fine-tuning does to a model, and whether inoculation prevents it."""

__version__ = "0.1.0"

"""How a training file is made: inoculate rows, mix splits, write them with a manifest."""

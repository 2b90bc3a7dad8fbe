"""How a person asks: one command a file, no logic."""

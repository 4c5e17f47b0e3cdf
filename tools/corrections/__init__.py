"""How much an artist's corrections help: see README.md."""

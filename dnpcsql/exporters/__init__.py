"""TELL: what the database knows, in other programs' words."""

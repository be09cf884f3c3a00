"""Results in, matplotlib figures out; nothing here solves anything."""

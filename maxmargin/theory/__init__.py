"""Rates, inter-class distances and the ledger of claims."""

"""Proposers: methods that find a pair (learner, adversary) for a game to certify."""

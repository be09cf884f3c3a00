"""Best responses on the sphere: the neuron that an adversary's weights like best, and proofs that none is better."""

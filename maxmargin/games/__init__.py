"""The zero-sum game between a learner and the weights on the points, and its certificates."""

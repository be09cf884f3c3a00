# %% [markdown]
# # 6. Why solvers lie and certificates do not
#
# A convex solver stops when *its* residuals, in *its* scaling, are below *its* tolerance, and then reports `optimal`.
# For small margins this proves little. In each of three examples a short computation of our own gives the true
# value: for any `f` and any weights `p`
#
#     min_i y_i f(x_i)/|f|  <=  gamma_2  <=  sqrt(p'YKYp)
#
# and it does not matter how `f` and `p` were found.

# %%
import sys
import warnings

import cvxpy as cp
import numpy as np
from matplotlib import pyplot as plt
from sklearn.svm import SVC

import maxmargin as mm
from maxmargin.plots import style


def claim(sentence: str, holds: bool) -> None:
    """Print what was checked, or stop."""
    if not holds:
        raise SystemExit(f"refuted: {sentence}")
    print(f"  checked: {sentence}")


def kernel(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Arc-cosine kernel, directions uniform on the sphere S^(D-1): |x||x'|/(2D) kappa(cos)."""
    lengths = np.linalg.norm(A, axis=1)[:, None] * np.linalg.norm(B, axis=1)
    c = np.clip(A @ B.T / lengths, -1, 1)
    return lengths / (2 * A.shape[1]) * (np.sqrt(1 - c**2) + (np.pi - np.arccos(c)) * c) / np.pi


def said(problem: cp.Problem, solver: str | None) -> str:
    """The status that the solver reports, or "failure"."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "solution may be inaccurate": precisely our subject
        try:
            problem.solve(solver=solver)
        except cp.error.SolverError:
            return "failure"
    return str(problem.status)


# %% [markdown]
# ## "Infeasible"
#
# Two unit vectors, one ten-thousandth of a radian apart, opposite labels. Two distinct directions can always be
# told apart, and the margin is `sqrt((1 - kappa(cos theta))/(4D))`, roughly `theta/4`. We do not name a solver
# and let CVXPY choose.

# %%
theta = 1e-4
pair, labels = np.array([[1.0, 0.0], [np.cos(theta), np.sin(theta)]]), np.array([1.0, -1.0])
by_default = said(mm.as_cvxpy((pair, labels), norm="f2", bias=False), None)
truth = mm.max_margin((pair, labels), norm="f2", bias=False)
print(f"CVXPY's own choice says: {by_default}")
print(f"certified:               {truth.lower:.9e} <= gamma_2 <= {truth.upper:.9e}; theta/4 = {theta / 4:.9e}")
claim("the data are separable: the certificate holds a classifier of positive margin", truth.lower > 0)
claim("the margin is about theta/4", bool(abs(truth.lower / (theta / 4) - 1) < 1e-3))

# %% [markdown]
# ## "Optimal"
#
# Twenty points on a line with alternating labels. The natural statement, "maximise t with all margins >= t and
# norm <= 1", goes to SCS at its default accuracy. From its answer we compute two numbers: the least margin of this
# `f` over its norm, and the bound that the duals, taken as weights p, prove.

# %%
line = mm.load("line:n=20")
Z, y = np.column_stack([line.X, np.ones(line.n)]), line.y
K = kernel(Z, Z)
values, vectors = np.linalg.eigh(K)
root = np.sqrt(np.maximum(values, 0))[:, None] * vectors.T  # root' root = K
truth = mm.max_margin(line, norm="f2")
print(f"certified: {truth.lower:.9e} <= gamma_2 <= {truth.upper:.9e}")
errors = {}
for solver in ("SCS", "CLARABEL"):
    c, t = cp.Variable(line.n), cp.Variable()
    margins = cp.multiply(y, K @ c) >= t
    word = said(cp.Problem(cp.Maximize(t), [margins, cp.norm(root @ c) <= 1]), solver)
    if c.value is None or margins.dual_value is None:
        print(f"{solver:8s} says {word}, and nothing else")
        continue
    lower = (y * (K @ c.value)).min() / np.linalg.norm(root @ c.value)
    p = np.maximum(margins.dual_value, 0) / np.maximum(margins.dual_value, 0).sum()
    upper = np.linalg.norm(root @ (p * y))
    errors[solver] = max(1 - lower / upper, 1e-16)
    print(
        f"{solver:8s} says {word}, t = {t.value:.6e}; recomputed: [{lower:.6e}, {upper:.6e}], gap {errors[solver]:.1e}"
    )
    claim(
        f"the bracket recomputed from {solver}'s answer contains gamma_2",
        bool(lower <= truth.upper * (1 + 1e-6) and truth.lower <= upper * (1 + 1e-6)),
    )
errors["maxmargin"] = max(truth.relative_gap, 1e-16)
claim("the certified bracket is the narrowest", errors["maxmargin"] == min(errors.values()))

# %% [markdown]
# The statuses are equal; the gaps are not. A bracket from a poor answer is wide, but it holds: this is the
# difference between a report and a certificate.
#
# ## The right answer to another question
#
# scikit-learn's `SVC` solves its problem very well. But its problem has a free intercept, and `f + c` with `c`
# unpenalised is not in the ball of F2. If its `1/|w|` is read as `gamma_2`, it can be too large by any factor.

# %%
x = np.array([[1.0, 0.0], [2.5 * np.cos(0.3), 2.5 * np.sin(0.3)]])
G = kernel(x, x)
machine = SVC(C=1e10, kernel="precomputed").fit(G, labels)
w = np.zeros(2)
w[machine.support_] = machine.dual_coef_[0]
claimed = 1 / np.sqrt(w @ G @ w)
attained = (labels * (G @ w)).min() / np.sqrt(w @ G @ w)
truth_2 = mm.max_margin((x, labels), norm="f2", bias=False)
print(f"SVC: 1/|w| = {claimed:.5f}; its f without the intercept ({machine.intercept_[0]:+.3f}) attains {attained:.5f}")
print(f"certified: {truth_2.lower:.9f} <= gamma_2 <= {truth_2.upper:.9f}")
claim("1/|w| is above what any function in the F2 ball can have", claimed > 1.01 * truth_2.upper)
claim("the SVC's own function has a smaller margin", attained < truth_2.lower)

# %% [markdown]
# **Rules.** Name the solver. Prefer the form "least norm with margins >= 1", which keeps more digits. Recompute
# both sides from the returned vectors. Decide the status from your own gap. (`maxmargin check` verifies the JSON of
# a certificate independently of the package.)

# %%
figure, axis = plt.subplots(figsize=(5.6, 3.2), layout="constrained")
axis.barh(
    list(errors), [-np.log10(gap) for gap in errors.values()], color=[style.MUTED, style.NTK, style.F2][-len(errors) :]
)
axis.set(xlabel="correct digits proved, -log10(relative gap)", title="Twenty points on a line, gamma_2 = 3.8e-4")
axis.invert_yaxis()
axis.spines[["top", "right"]].set_visible(False)
if "--out" in sys.argv:
    figure.savefig(sys.argv[sys.argv.index("--out") + 1], dpi=160)

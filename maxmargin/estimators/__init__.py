"""scikit-learn classifiers: the two max-margin problems solved, and the flow that converges to them.

All three are binary; ``sklearn.multiclass.OneVsRestClassifier`` makes them multi-class.  They follow scikit-learn's
contract (``sklearn.utils.estimator_checks.check_estimator`` passes without exceptions), so that pipelines,
cross-validation, grid search, cloning and pickling work as with any other classifier.
"""

from .flow import GradientFlowClassifier
from .solved import KernelMaxMarginClassifier, VariationMaxMarginClassifier

__all__ = ["GradientFlowClassifier", "KernelMaxMarginClassifier", "VariationMaxMarginClassifier"]

"""From a messy CSV file to probabilities and a report: pandas and scikit-learn prepare, maxmargin certifies.

The file has words, missing cells and columns in different units. A `ColumnTransformer` turns them into numbers, the
classifier solves the soft margin of the F2 ball with a proof, `CalibratedClassifierCV` turns scores into
probabilities, and the report is a page to hand on. Needs pandas (``pip install pandas``).

    python experiments/messy_csv.py --out messy
"""

# %% The file: 80 customers, "?" and empty cells, words, a salary beside an age.

import argparse
import io
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import maxmargin as mm

parser = argparse.ArgumentParser(description="From a messy CSV file to probabilities and a report.")
parser.add_argument("--out", default="messy", help="folder for the report (default: messy)")
out = Path(parser.parse_known_args()[0].out)  # a notebook has arguments of its own

rng = np.random.default_rng(0)
lines = ["age;salary;city;churn"]
for _ in range(80):
    age, salary, city = rng.integers(20, 70), rng.lognormal(10.4, 0.5), rng.choice(["Oslo", "Rome", "Lima"])
    stays = (age - 45) / 12 + (np.log(salary) - 10.4) + (city == "Oslo") + rng.normal(0.0, 0.4) > 0.3
    lines.append(f"{age if rng.random() > 0.05 else '?'};{salary:.0f};{city};{'no' if stays else 'yes'}")
messy = "\n".join(lines)

# %% The message of maxmargin for the raw file: the column, what was found, and the line that mends it.

path = out / "customers.csv"
out.mkdir(parents=True, exist_ok=True)
path.write_text(messy)
try:
    mm.load(path, label="churn")
except mm.InputError as error:
    print(error)

# %% All columns as numbers: missing ages get the median, cities become columns, units become alike.

frame = pd.read_csv(io.StringIO(messy), sep=";", na_values="?")
X, y = frame.drop(columns="churn"), frame["churn"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=0, stratify=y)
prepare = make_column_transformer(
    (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), make_column_selector(dtype_include="number")),
    (OneHotEncoder(sparse_output=False), make_column_selector(dtype_exclude="number")),
    verbose_feature_names_out=False,
).set_output(transform="pandas")

# %% A certified classifier at the end of the pipeline, and probabilities from its scores.

pipeline = make_pipeline(prepare, mm.KernelMaxMarginClassifier(nu=0.2)).fit(X_train, y_train)
classifier = pipeline[-1]
print(f"soft margin in [{classifier.bracket_[0]:.6f}, {classifier.bracket_[1]:.6f}]; {classifier.status_}")
calibrated = CalibratedClassifierCV(pipeline, cv=3).fit(X_train, y_train)
probability = calibrated.predict_proba(X_test)[:, 1]
print(f"held out: accuracy {pipeline.score(X_test, y_test):.2f}, mean probability of churn {probability.mean():.2f}")

# %% A report to hand to a colleague.

comparison = mm.Comparison.from_estimator(
    classifier, prepare.transform(X_train), y_train, prepare.transform(X_test), y_test
)
print(f"report: {comparison.save(out)}")

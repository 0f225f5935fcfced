"""The shapes models work on."""

import numpy as np
import numpy.typing as npt

# Encoded people, (people, features): numbers as they are, categories as their place in the specification's list,
# a missing value as NaN.
Matrix = npt.NDArray[np.float64]
Vector = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Label = npt.NDArray[np.bool_]

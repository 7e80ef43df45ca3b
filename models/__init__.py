"""Training: one flat script a step, data to bundle."""

import earshot  # noqa: F401 - has the library that runs the networks report to nobody

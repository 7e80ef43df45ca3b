"""Training: one flat script a step, data to bundle."""

"""Reports: numbers, forms, bounds."""

"""Drift stories, a folder each: record, baseline, what was seen, policy, and the plan that it must lead to."""

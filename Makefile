# A second door to ./dev, for those whose fingers type make.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check simulate mutants reliability

help setup demo test check simulate mutants reliability:
	@./dev $@

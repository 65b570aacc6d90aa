"""Random histories of people, weather and crashes, judged by an observer who knows all: `./dev simulate`."""

"""What carrying due passes costs: passes a second, CPU a pass, push to start, takeover, and what a quiet day leaves."""

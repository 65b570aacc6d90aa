"""What calsync promises, which test would show that it does not hold, and the figure reached: `./dev reliability`."""

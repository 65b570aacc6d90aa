"""Real processes for a long time or killed many times: `./dev storm NAME`, `./dev soak`; short forms run as tests."""

"""Pages in a real browser: headless Chromium against a real server on a real port."""

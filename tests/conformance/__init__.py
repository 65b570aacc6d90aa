"""Every connector against every calendar server that starts here, by one suite: `calsync.testing.conformance`."""

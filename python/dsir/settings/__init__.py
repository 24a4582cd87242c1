"""Settings: every option of a run, checked once, described in JSON and read back from it."""

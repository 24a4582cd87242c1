"""Reports: what a finished folder holds, on one page that a person can read."""

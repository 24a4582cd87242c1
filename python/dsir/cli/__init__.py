"""The command line: words, options and exit codes; the work is done by the package."""

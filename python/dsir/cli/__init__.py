"""The command line: words, options and exit codes; the package does the work."""

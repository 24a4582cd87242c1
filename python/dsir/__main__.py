"""`python -m dsir`: the command line, where the command `dsir` is not on the path."""

from dsir.cli.main import main

if __name__ == "__main__":
    main()

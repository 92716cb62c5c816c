"""`python -m skrynka` is the command line."""

from skrynka.cli import main

if __name__ == "__main__":
    main()

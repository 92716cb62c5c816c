"""The command's first lines: `skrynka` and `python -m skrynka`.

Every reader process runs the main script's imports again before it takes its order (multiprocessing does, under another
name): so nothing is imported here until the command is meant.
"""


def main() -> None:
    """Run the command line."""
    from skrynka.cli import main as command_line  # noqa: PLC0415 - a second and a half, in each reader process

    command_line()


if __name__ == "__main__":
    main()

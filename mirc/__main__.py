"""``python -m mirc`` into the command line."""

from mirc.cli.main import main

if __name__ == "__main__":
    main()

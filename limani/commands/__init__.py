"""What the subcommands of `limani` do. Each file is one word of the command line."""

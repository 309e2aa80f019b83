"""The commands, a module each: its docstring is the help, `arguments` says what it takes, `run` does it."""

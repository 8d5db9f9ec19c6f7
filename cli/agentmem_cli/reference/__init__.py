"""The whole tree of commands as data, and what is made of it: JSON, the reference page, completions."""

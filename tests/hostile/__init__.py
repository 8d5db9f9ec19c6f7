"""Hostile runs of the command line: every command, with arguments, streams and places that nobody would choose.

`doors` reads from `help --json` what can be typed, and `pools` makes the values. `places` prepare where a program
runs: which files, disk, locale and zone it meets. `running` runs it with a deadline, on odd streams and with signals,
`laws` say what holds after every run, and `case` draws a few runs on the same files. What fails is printed as
commands to paste.
"""

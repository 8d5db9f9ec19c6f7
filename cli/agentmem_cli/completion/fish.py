"""The completion script for fish 3 and newer."""

from __future__ import annotations

from agentmem_cli.completion import table
from agentmem_cli.reference.tree import Command

_HEAD = """\
# fish completion for agentmem, made by `agentmem completion fish`.
# To use it:  agentmem completion fish > ~/.config/fish/completions/agentmem.fish
"""

_BODY = r"""
function __agentmem_value -a value # offer what an option or an argument takes
    switch $value
        case '@*'
            set -l typed (commandline -opc)
            $typed[1] __complete (string sub -s 2 -- $value) "$(commandline -ct)" $typed[2..] 2>/dev/null
        case '=*'
            string split ' ' -- (string sub -s 2 -- $value)
        case files
            __fish_complete_path (commandline -ct | string replace -r '^--[^=]*=' '')
    end
end

function __agentmem_complete
    set -l at ''
    set -l number 0
    set -l pending ''
    for word in (commandline -opc)[2..]
        if test -n "$pending"
            set pending ''
        else if string match -q -- '-?*' $word
            string match -q -- '*=*' $word; or set pending (__agentmem_takes $at $word)
        else if contains -- $word (__agentmem_commands $at | string replace -r '\t.*' '')
            set at (string trim -- "$at $word")
            set number 0
        else
            set number (math $number + 1)
        end
    end
    set -l current (commandline -ct)
    if test -n "$pending"
        __agentmem_value $pending
    else if string match -q -- '--*=*' $current
        set -l option (string replace -r '=.*' '' -- $current)
        for offered in (__agentmem_value (__agentmem_takes $at $option))
            echo "$option=$offered"
        end
    else if string match -q -- '-*' $current
        __agentmem_options $at
        test -n "$at"; and __agentmem_options ''
    else
        __agentmem_commands $at
        __agentmem_value (__agentmem_argument $at $number)
    end
end

complete -c agentmem -f -a '(__agentmem_complete)'
"""


def script(root: Command) -> str:
    """Return the script for this tree of commands."""
    rows = table.rows(root)
    return "\n".join(
        [
            _HEAD,
            _described("commands", "the commands below it", rows),
            _described("options", "its own options", rows),
            _function("takes", "at option", "what the option's value is", table.values_table(rows)),
            _function("argument", "at number", "what that argument is", table.arguments_table(rows)),
        ]
    ) + _BODY  # fmt: skip


def _described(name: str, comment: str, rows: list[table.Row]) -> str:
    lines = [f"function __agentmem_{name} -a at # {comment}", '    switch "$at"']
    for row in rows:
        words: tuple[table.Word, ...] = getattr(row, name)
        if words:
            lines.append(f"        case '{row.path}'")
            lines.append("            printf '%s\\t%s\\n' \\")
            lines += [f"                {_quoted(word.text)} {_quoted(word.meaning)} \\" for word in words]
            lines[-1] = lines[-1].removesuffix(" \\")
    return "\n".join([*lines, "    end", "end", ""])


def _function(name: str, parameters: str, comment: str, cases: dict[str, list[str]]) -> str:
    lines = [f"function __agentmem_{name} -a {parameters} # {comment}"]
    lines.append(f'    switch "{" ".join("$" + part for part in parameters.split())}"')
    for result, keys in cases.items():
        lines += [f"        case {' '.join(map(_quoted, keys))}", f"            echo '{result}'"]
    return "\n".join([*lines, "    end", "end", ""])


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

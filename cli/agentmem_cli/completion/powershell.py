"""The completion script for PowerShell 5.1 and newer."""

from __future__ import annotations

from agentmem_cli.completion import table
from agentmem_cli.reference.tree import Command

_HEAD = """\
# PowerShell completion for agentmem, made by `agentmem completion powershell`.
# To use it:  agentmem completion powershell >> $PROFILE
"""

_BODY = r"""
Register-ArgumentCompleter -Native -CommandName agentmem -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $typed = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -le $cursorPosition } |
        ForEach-Object { $_.Extent.Text.Trim("'", '"') })
    if ($wordToComplete -and $typed.Count -gt 1) { $typed = @($typed[0..($typed.Count - 2)]) }
    $current = $wordToComplete.Trim("'", '"')

    function Find-Rule($rules, [string] $key) {
        foreach ($rule in $rules) { if ($key -clike $rule[0]) { return $rule[1] } }
        return ''
    }
    function Get-Value([string] $value) {
        if ($value.StartsWith('@')) {
            & $typed[0] __complete $value.Substring(1) $current @($typed | Select-Object -Skip 1) 2>$null |
                ForEach-Object { , @($_ -split "`t", 2) }
        } elseif ($value.StartsWith('=')) {
            $value.Substring(1) -split ' ' | ForEach-Object { , @($_, $_) }
        } elseif ($value -eq 'files') {
            Get-ChildItem -Path "$current*" -ErrorAction SilentlyContinue |
                ForEach-Object { , @((Resolve-Path -Relative $_.FullName), $_.Name) }
        }
    }

    $at = ''; $number = 0; $pending = ''
    foreach ($word in @($typed | Select-Object -Skip 1)) {
        if ($pending) { $pending = '' }
        elseif ($word -like '-?*') {
            if ($word -notlike '*=*') { $pending = Find-Rule $AgentmemTable.Takes "$at $word" }
        } elseif ($AgentmemTable.Commands[$at] | Where-Object { $_[0] -ceq $word }) {
            $at = "$at $word".Trim()
            $number = 0
        } else { $number++ }
    }

    $offered = if ($pending) { Get-Value $pending }
    elseif ($current -like '-*') { @($AgentmemTable.Options[$at]) + @(if ($at) { $AgentmemTable.Options[''] }) }
    else { @($AgentmemTable.Commands[$at]) + @(Get-Value (Find-Rule $AgentmemTable.Arguments "$at $number")) }

    $offered | Where-Object { $_ -and $_[0] -and $_[0].StartsWith($current) } | ForEach-Object {
        $text = if ($_[0] -match '[\s;&|(){}"]') { "'" + $_[0].Replace("'", "''") + "'" } else { $_[0] }
        $meaning = if ($_.Count -gt 1 -and $_[1]) { $_[1] } else { $_[0] }
        [System.Management.Automation.CompletionResult]::new($text, $_[0], 'ParameterValue', $meaning)
    }
}
"""


def script(root: Command) -> str:
    """Return the script for this tree of commands."""
    rows = table.rows(root)
    # The tables stand outside the block that asks, and are seen by it: built once a session, not at every key.
    body = "\n".join(
        [
            _described("Commands", "by path, the commands below it", rows),
            _described("Options", "by path, its own options", rows),
            _rules("Takes", "PATH OPTION: what its value is", table.values_table(rows)),
            _rules("Arguments", "PATH NUMBER: what that argument is", table.arguments_table(rows)),
        ]
    )
    return f"{_HEAD}\n$AgentmemTable = @{{}}\n{body}{_BODY}"


def _described(name: str, comment: str, rows: list[table.Row]) -> str:
    lines = [f"$AgentmemTable.{name} = @{{ # {comment}"]
    for row in rows:
        words: tuple[table.Word, ...] = getattr(row, name.lower())
        if words:
            lines.append(f"    {_quoted(row.path)} = @(")
            lines += [f"        , @({_quoted(word.text)}, {_quoted(word.meaning)})" for word in words]
            lines.append("    )")
    return "\n".join([*lines, "}", ""])


def _rules(name: str, comment: str, cases: dict[str, list[str]]) -> str:
    lines = [f"$AgentmemTable.{name} = @( # {comment}"]
    for result, keys in cases.items():
        lines += [f"    , @({_quoted(key)}, {_quoted(result)})" for key in keys]
    return "\n".join([*lines, ")", ""])


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

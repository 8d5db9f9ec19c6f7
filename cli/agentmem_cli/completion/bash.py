"""The completion script for bash 3.2 (that of macOS) and newer."""

from __future__ import annotations

from collections.abc import Iterable

from agentmem_cli.completion import table
from agentmem_cli.reference.tree import Command

_WIDTH = 110
_HEAD = """\
# bash completion for agentmem, made by `agentmem completion bash`.
# To use it:  agentmem completion bash > ~/.local/share/bash-completion/completions/agentmem
"""

_BODY = r"""
# What is stored: one value a line, a tab and what it is behind it.
__agentmem_stored() {
    "${COMP_WORDS[0]}" __complete "$1" "$2" "${__agentmem_before[@]}" 2>/dev/null | cut -f 1
}

__agentmem_offer() { # WORDS, one a line: keep those that begin like the current word
    local word quoted="$__agentmem_quote"
    while IFS= read -r word; do
        if [[ -n $word && $word == "$__agentmem_current"* ]]; then
            [[ -z $quoted ]] && printf -v word '%q' "$word"
            # bash takes what stands before a colon or an equals sign for a word of its own
            COMPREPLY+=("${word#"$__agentmem_cut"}")
        fi
    done
}

__agentmem_value() { # VALUE: offer what an option or an argument takes
    case "$1" in
        @*) __agentmem_offer < <(__agentmem_stored "${1#@}" "$__agentmem_current") ;;
        =*) __agentmem_offer < <(tr ' ' '\n' <<<"${1#=}"; echo) ;;
        files) compopt -o filenames 2>/dev/null; __agentmem_offer < <(compgen -f -- "$__agentmem_current") ;;
    esac
}

_agentmem() {
    local IFS=$' \t\n' path='' number=0 pending='' word i __agentmem_before=() __agentmem_quote=''
    local __agentmem_current="${COMP_WORDS[COMP_CWORD]}" __agentmem_cut='' last=$((COMP_CWORD - 1))
    COMPREPLY=()

    # `--tag=a:b` comes as five words: what belongs together is put together again.
    while ((last > 0)) && [[ $__agentmem_current == :* || ${COMP_WORDS[last]} == : ]] &&
        [[ ${COMP_WORDS[last]} != -* ]]; do
        __agentmem_current="${COMP_WORDS[last]}$__agentmem_current"
        ((last--))
    done
    [[ $__agentmem_current == *:* ]] && __agentmem_cut="${__agentmem_current%:*}:"
    if [[ $__agentmem_current == = ]]; then
        __agentmem_current=''
    elif [[ ${COMP_WORDS[last]} == = ]]; then
        ((last--))
    fi
    case "$__agentmem_current" in
        \"* | \'*) __agentmem_quote=1 __agentmem_current="${__agentmem_current#?}" ;;
        *) __agentmem_current="${__agentmem_current//\\/}" ;;
    esac

    for ((i = 1; i <= last; i++)); do
        word="${COMP_WORDS[i]}"
        __agentmem_before+=("$word")
        if [[ -n $pending ]]; then
            [[ $word == = ]] || pending=''
        elif [[ $word == -?* ]]; then
            pending="$(__agentmem_takes "$path" "$word")"
        elif [[ " $(__agentmem_commands "$path") " == *" $word "* ]]; then
            path="${path:+$path }$word" number=0
        else
            ((number++))
        fi
    done

    if [[ -n $pending ]]; then
        __agentmem_value "$pending"
    elif [[ $__agentmem_current == -* ]]; then
        __agentmem_offer < <(printf '%s\n' $(__agentmem_options "$path") ${path:+$(__agentmem_options '')})
    else
        __agentmem_offer < <(printf '%s\n' $(__agentmem_commands "$path"))
        __agentmem_value "$(__agentmem_argument "$path" "$number")"
    fi
}

complete -F _agentmem agentmem
"""


def script(root: Command) -> str:
    """Return the script for this tree of commands."""
    rows = table.rows(root)
    return "\n".join(
        [
            _HEAD,
            _function("commands", "PATH: the commands below it", '"$1"', _words(rows, "commands")),
            _function("options", "PATH: its own options", '"$1"', _words(rows, "options")),
            _function("takes", "PATH OPTION: what its value is", '"$1 $2"', table.values_table(rows)),
            _function("argument", "PATH NUMBER: what that argument is", '"$1 $2"', table.arguments_table(rows)),
        ]
    ) + _BODY  # fmt: skip


def _words(rows: Iterable[table.Row], field: str) -> dict[str, list[str]]:
    pairs = [(row.path, " ".join(word.text for word in getattr(row, field))) for row in rows]
    return table.cases((path, words) for path, words in pairs if words)


def _function(name: str, comment: str, subject: str, cases: dict[str, list[str]]) -> str:
    lines = [f"__agentmem_{name}() {{ # {comment}", f"    case {subject} in"]
    for result, keys in cases.items():
        lines += _wrapped([_pattern(key) for key in keys], f"echo '{result}' ;;")
    return "\n".join([*lines, "    esac", "}", ""])


def _wrapped(patterns: list[str], command: str) -> list[str]:
    """Write one case on as many lines as it needs."""
    lines, line = [], " " * 8
    for number, pattern in enumerate(patterns, 1):
        word = pattern + (")" if number == len(patterns) else " | ")
        if len(line) + len(word) > _WIDTH and line.strip():
            lines.append(line + "\\")
            line = " " * 8
        line += word
    return [*lines, line, f"{' ' * 12}{command}"]


def _pattern(key: str) -> str:
    if key.startswith("* "):
        return f"*' {key[2:]}'"
    return f"'{key[:-2]} '*" if key.endswith(" *") else f"'{key}'"

"""The completion script for zsh 5 and newer."""

from __future__ import annotations

from agentmem_cli.completion import table
from agentmem_cli.completion.bash import _function
from agentmem_cli.reference.tree import Command

_HEAD = """\
#compdef agentmem
# zsh completion for agentmem, made by `agentmem completion zsh`.
# To use it, write it as _agentmem into a folder of $fpath:
#   agentmem completion zsh > "${fpath[1]}/_agentmem"
"""

_BODY = r"""
__agentmem_describe() { # TITLE, then lines of VALUE<tab>MEANING on stdin
  local line title=$1
  local -a offered
  while IFS= read -r line; do
    [[ -z $line ]] && continue
    # a colon parts value and meaning for _describe, so that one in the value needs a backslash
    offered+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
  done
  (( $#offered )) && _describe -t "$title" "$title" offered
}

__agentmem_value() { # VALUE: offer what an option or an argument takes
  case $1 in
    @*)
      __agentmem_describe "${1#@}" < <(
        "${words[1]}" __complete "${1#@}" "${(Q)PREFIX}" "${(@Q)words[2,CURRENT-1]}" 2>/dev/null
      ) ;;
    '='*) compadd -- ${=1#=} ;;
    files) _files ;;
  esac
}

_agentmem() {
  local at='' word pending='' option=''
  integer number=0 i
  for (( i = 2; i < CURRENT; i++ )); do
    word=${(Q)words[i]}
    if [[ -n $pending ]]; then
      pending=''
    elif [[ $word == -?* ]]; then
      [[ $word == *=* ]] || pending=$(__agentmem_takes "$at" "$word")
    elif [[ " ${(f)$(__agentmem_commands "$at" | cut -f 1 | tr '\n' ' ')} " == *" $word "* ]]; then
      at="${at:+$at }$word" number=0
    else
      (( number++ ))
    fi
  done

  if [[ -n $pending ]]; then
    __agentmem_value "$pending"
  elif [[ ${words[CURRENT]} == --*=* ]]; then
    option=${words[CURRENT]%%=*}
    compset -P 1 '*='
    __agentmem_value "$(__agentmem_takes "$at" "$option")"
  elif [[ ${words[CURRENT]} == -* ]]; then
    __agentmem_describe options < <(__agentmem_options "$at"; [[ -n $at ]] && __agentmem_options '')
  else
    __agentmem_describe commands < <(__agentmem_commands "$at")
    __agentmem_value "$(__agentmem_argument "$at" "$number")"
  fi
}

if [[ $funcstack[1] == _agentmem ]]; then
  _agentmem "$@"
else
  compdef _agentmem agentmem
fi
"""


def script(root: Command) -> str:
    """Return the script for this tree of commands."""
    rows = table.rows(root)
    return "\n".join(
        [
            _HEAD,
            _described("commands", "PATH: the commands below it", rows),
            _described("options", "PATH: its own options", rows),
            _function("takes", "PATH OPTION: what its value is", '"$1 $2"', table.values_table(rows)),
            _function("argument", "PATH NUMBER: what that argument is", '"$1 $2"', table.arguments_table(rows)),
        ]
    ) + _BODY  # fmt: skip


def _described(name: str, comment: str, rows: list[table.Row]) -> str:
    lines = [f"__agentmem_{name}() {{ # {comment}", '  case "$1" in']
    for row in rows:
        words: tuple[table.Word, ...] = getattr(row, name)
        if words:
            lines.append(f"    '{row.path}') printf '%s\\t%s\\n' \\")
            lines += [f"      {_quoted(word.text)} {_quoted(word.meaning)} \\" for word in words]
            lines[-1] = lines[-1].removesuffix(" \\")
            lines.append("      ;;")
    return "\n".join([*lines, "  esac", "}", ""])


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"

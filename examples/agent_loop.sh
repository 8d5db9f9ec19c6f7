#!/bin/sh
# An agent's loop in the shell. It remembers what it was told, and before each answer it recalls what matters.
#
#   printf 'My name is Ada.\nWhat is my name?\n' | examples/agent_loop.sh
#
# AGENT_MODEL is any command that reads a prompt on stdin and writes an answer; the default only shows the prompt.
set -eu
export AGENTMEM_AGENT="${AGENTMEM_AGENT:-shell-agent}"
model="${AGENT_MODEL:-cat}"
session=$(agentmem chat new --output id)
export AGENTMEM_SESSION="$session"

while IFS= read -r line; do
    [ -n "$line" ] || continue
    prompt=$(agentmem recall "$line" --budget 800 --last 6)
    answer=$(printf '%s\n\nUser: %s\n' "$prompt" "$line" | sh -c "$model")
    agentmem chat add user "$line" --quiet >/dev/null
    agentmem chat add assistant "$answer" --quiet >/dev/null
    printf '%s\n' "$answer"
done

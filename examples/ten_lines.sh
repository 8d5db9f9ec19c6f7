#!/bin/sh
# The README's ten lines, in the shell.
set -eu
export AGENTMEM_AGENT=demo
agentmem add "User prefers dark mode" --type fact --tag ui
agentmem event add "Deploy of v2 failed: disk full" --type deploy --outcome failed
agentmem skill add free-disk "Delete old images with docker system prune"
agentmem search "Which theme should the interface have?" --limit 1
agentmem recall "why did the deploy fail" --budget 500

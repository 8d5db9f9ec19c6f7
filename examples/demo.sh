#!/bin/sh
# All six kinds of memory in through the command line, and back through search and recall. Offline.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export AGENTMEM_HOME="$work" AGENTMEM_AGENT=demo

say() { printf '\n\033[1m$ %s\033[0m\n' "$*"; }
run() {
    shown=agentmem
    for word in "$@"; do
        case $word in
            *[!A-Za-z0-9_./=:-]*) shown="$shown \"$word\"" ;;
            *) shown="$shown $word" ;;
        esac
    done
    say "$shown"
    agentmem "$@"
}

run add "The staging database moves to Oslo tonight" --type short-term --ttl 8h
run add "User prefers dark mode" --type fact --tag ui --importance 0.8
run chat add user "Can you check why the checkout tests are slow?" --name Maria
run event add "Checkout test run took 14 minutes, usually 3" --type ci --outcome failed
run skill add "bisect slow tests" "Run pytest --durations=10, then bisect the slowest fixture" --trigger "slow tests"
say "cat NOTES | agentmem add - --type doc --tag ops"
cat <<'NOTES' | agentmem add - --type doc --tag ops
Checkout keeps its sessions in Redis. When Redis runs out of memory it evicts sessions, and the tests that log in
retry until they time out. The fix last spring was to raise maxmemory and to shorten the session's time to live.
NOTES

run list
run search "Which theme should the interface have?" --limit 2
run search "why are the tests slow" --explain --limit 3
run recall "the checkout tests are slow again, what do I do?" --budget 400
run stats
run status

found=$(agentmem list --output id | wc -l)
types=$(agentmem list --ndjson | sed -E 's/.*"type": ?"([a-z_]+)".*/\1/' | sort -u | wc -l)
test "$found" -eq 6 && test "$types" -eq 6
agentmem search "dark mode" --limit 1 --json | grep -q "User prefers dark mode"
agentmem recall "slow checkout tests" --budget 400 | grep -q "bisect"
printf '\nAll six kinds of memory went in and came back.\n'

#!/bin/sh
# Record a repository's commits as events, each once, at the time of the commit.
#
#   examples/git_log_recorder.sh [REPOSITORY]     # run it again, or from a post-commit hook: only new commits are added
set -eu
repository="${1:-.}"
name=$(basename "$(cd "$repository" && git rev-parse --show-toplevel)")
export AGENTMEM_AGENT="${AGENTMEM_AGENT:-$name}"

last=$(agentmem work get "last-commit:$name" --output text 2>/dev/null || true)
range="${last:+$last..}HEAD"
newest=$(git -C "$repository" rev-parse HEAD)
[ "$last" = "$newest" ] && exit 0

# %x1f keeps the fields apart; jq writes the JSON, so any subject line is safe.
git -C "$repository" log --reverse --date=iso-strict --format='%h%x1f%ad%x1f%an%x1f%s' "$range" |
    jq -cR 'split("\u001f") | {content: .[3], type: "event", event_type: "commit", occurred_at: .[1],
            participants: [.[2]], tags: ["git"], metadata: {commit: .[0]}}' |
    agentmem add --ndjson-in --quiet

agentmem work set "last-commit:$name" "$newest" --ttl 3650d --quiet >/dev/null
echo "recorded commits of $name up to $(git -C "$repository" rev-parse --short HEAD)"

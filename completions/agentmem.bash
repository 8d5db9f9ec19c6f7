# bash completion for agentmem, made by `agentmem completion bash`.
# To use it:  agentmem completion bash > ~/.local/share/bash-completion/completions/agentmem

__agentmem_commands() { # PATH: the commands below it
    case "$1" in
        '')
            echo 'add search recall get list update pin unpin forget restore work fact pref chat event doc skill history log undo status stats doctor index reembed sql export import migrate agents config model mcp warm storage completion help version' ;;
        'work')
            echo 'set get list extend clear' ;;
        'fact')
            echo 'add list update dupes' ;;
        'pref')
            echo 'set list' ;;
        'chat')
            echo 'add last show list new switch summarize delete' ;;
        'event')
            echo 'add recent failed succeeded similar timeline' ;;
        'doc')
            echo 'add list show related' ;;
        'skill')
            echo 'add find used list show' ;;
        'agents')
            echo 'list show rename rm' ;;
        'config')
            echo 'show get set path edit trust' ;;
        'model')
            echo 'list pull path verify' ;;
        'warm')
            echo 'start status stop' ;;
        'storage')
            echo 'distribute' ;;
    esac
}

__agentmem_options() { # PATH: its own options
    case "$1" in
        '')
            echo '--agent -a --db --backend --output -o --json --ndjson --quiet -q --verbose -v --debug --offline --yes -y --help -h' ;;
        'add')
            echo '--type --key -k --tag -t --meta -m --importance --ttl --source --session --at --pin --file --glob --lines --ndjson-in --force --no-embed --dry-run' ;;
        'search')
            echo '--limit -n --mode --type --tag -t --every-tag --since --until --min-importance --where --field --key -k --session --source --pinned --min-relevance --min-score --explain --rerank --fail-empty' ;;
        'recall')
            echo '--budget -b --format -f --type --tag -t --every-tag --since --until --min-importance --where --field --key -k --session --source --pinned --min-relevance --last --mode --rerank --standing-share --explain --fail-empty' ;;
        'list')
            echo '--type --tag -t --every-tag --since --until --min-importance --where --field --key -k --session --source --pinned --archived --sort --limit -n --all' ;;
        'update')
            echo '--tag --add-tag -t --remove-tag --meta -m --importance --ttl --key -k --source --session --at --no-ttl --no-key --no-source --no-at --field' ;;
        'forget')
            echo '--type --tag -t --every-tag --since --until --min-importance --where --field --key -k --session --source --pinned --before --expired --purge --shred --dry-run' ;;
        'work set')
            echo '--parse --ttl --importance' ;;
        'work list' | 'doc list')
            echo '--limit -n --all' ;;
        'work clear')
            echo '--all --expired --dry-run' ;;
        'fact add')
            echo '--tag -t --key -k --source --importance --meta -m --standing --force' ;;
        'fact list')
            echo '--tag -t --limit -n --all' ;;
        'fact update')
            echo '--importance --standing --no-standing' ;;
        'fact dupes')
            echo '--threshold --merge --dry-run' ;;
        'pref set')
            echo '--importance --tag -t --beside' ;;
        'chat add')
            echo '--name --at --conversation -c --importance --tag -t --meta -m' ;;
        'chat last' | 'chat summarize')
            echo '--conversation -c' ;;
        'chat show')
            echo '--conversation -c --limit -n --all --archived --system --no-system' ;;
        'chat list')
            echo '--archived' ;;
        'chat delete')
            echo '--conversation -c --purge --shred --dry-run' ;;
        'event add')
            echo '--type --outcome --succeeded --success --failed --failure --participant --location --duration --at --importance --tag -t --meta -m --source' ;;
        'event recent')
            echo '--hours --limit -n' ;;
        'event failed' | 'event succeeded')
            echo '--type --limit -n' ;;
        'event similar' | 'skill find' | 'log' | 'index')
            echo '--limit -n' ;;
        'event timeline')
            echo '--since --until --type --limit -n' ;;
        'doc add')
            echo '--text --file --glob --prune --title --key -k --source --tag -t --meta -m --importance --no-embed --dry-run' ;;
        'doc related')
            echo '--limit -n --min-similarity' ;;
        'skill add')
            echo '--trigger --step --category --importance --tag -t --meta -m --source' ;;
        'skill used')
            echo '--failed' ;;
        'skill list')
            echo '--category --sort --limit -n' ;;
        'undo' | 'agents rm')
            echo '--dry-run' ;;
        'stats')
            echo '--top' ;;
        'doctor')
            echo '--isolation --fix --salvage' ;;
        'reembed')
            echo '--model --dry-run' ;;
        'sql')
            echo '--param -p --tables --schema' ;;
        'export')
            echo '--history --usage --with-vectors --type --tag -t --every-tag --since --until --min-importance --where --field --key -k --session --source --pinned' ;;
        'import')
            echo '--on-conflict --no-embed --dry-run' ;;
        'migrate')
            echo '--to --from --on-conflict --switch --all --agents --jobs -j --reopen --dry-run' ;;
        'config show')
            echo '--origin' ;;
        'config set')
            echo '--unset' ;;
        'config path')
            echo '--project' ;;
        'config trust')
            echo '--withdraw' ;;
        'mcp')
            echo '--read-only --tools --print --cost' ;;
        'storage distribute')
            echo '--schema --row' ;;
        'help')
            echo '--skill' ;;
    esac
}

__agentmem_takes() { # PATH OPTION: what its value is
    case "$1 $2" in
        *' --agent' | *' -a')
            echo '@agents' ;;
        *' --db' | 'add --file' | 'doc add --file')
            echo 'files' ;;
        *' --backend' | 'add --meta' | 'add -m' | 'add --importance' | 'add --ttl' | 'add --source' | \
        'add --at' | 'add --glob' | 'search --limit' | 'search -n' | 'search --since' | 'search --until' | \
        'search --min-importance' | 'search --where' | 'search --field' | 'search --source' | \
        'search --min-relevance' | 'search --min-score' | 'recall --budget' | 'recall -b' | \
        'recall --since' | 'recall --until' | 'recall --min-importance' | 'recall --where' | \
        'recall --field' | 'recall --source' | 'recall --min-relevance' | 'recall --last' | \
        'recall --standing-share' | 'list --since' | 'list --until' | 'list --min-importance' | \
        'list --where' | 'list --field' | 'list --source' | 'list --limit' | 'list -n' | 'update --meta' | \
        'update -m' | 'update --importance' | 'update --ttl' | 'update --source' | 'update --at' | \
        'update --field' | 'forget --since' | 'forget --until' | 'forget --min-importance' | \
        'forget --where' | 'forget --field' | 'forget --source' | 'forget --before' | 'work set --ttl' | \
        'work set --importance' | 'work list --limit' | 'work list -n' | 'fact add --source' | \
        'fact add --importance' | 'fact add --meta' | 'fact add -m' | 'fact list --limit' | 'fact list -n' | \
        'fact update --importance' | 'fact dupes --threshold' | 'pref set --importance' | 'chat add --name' | \
        'chat add --at' | 'chat add --importance' | 'chat add --meta' | 'chat add -m' | 'chat show --limit' | \
        'chat show -n' | 'event add --type' | 'event add --outcome' | 'event add --participant' | \
        'event add --location' | 'event add --duration' | 'event add --at' | 'event add --importance' | \
        'event add --meta' | 'event add -m' | 'event add --source' | 'event recent --hours' | \
        'event recent --limit' | 'event recent -n' | 'event failed --type' | 'event failed --limit' | \
        'event failed -n' | 'event succeeded --type' | 'event succeeded --limit' | 'event succeeded -n' | \
        'event similar --limit' | 'event similar -n' | 'event timeline --since' | 'event timeline --until' | \
        'event timeline --type' | 'event timeline --limit' | 'event timeline -n' | 'doc add --text' | \
        'doc add --glob' | 'doc add --title' | 'doc add --source' | 'doc add --meta' | 'doc add -m' | \
        'doc add --importance' | 'doc list --limit' | 'doc list -n' | 'doc related --limit' | \
        'doc related -n' | 'doc related --min-similarity' | 'skill add --trigger' | 'skill add --step' | \
        'skill add --category' | 'skill add --importance' | 'skill add --meta' | 'skill add -m' | \
        'skill add --source' | 'skill find --limit' | 'skill find -n' | 'skill list --category' | \
        'skill list --limit' | 'skill list -n' | 'log --limit' | 'log -n' | 'stats --top' | \
        'doctor --salvage' | 'index --limit' | 'index -n' | 'sql --param' | 'sql -p' | 'export --since' | \
        'export --until' | 'export --min-importance' | 'export --where' | 'export --field' | \
        'export --source' | 'migrate --to' | 'migrate --from' | 'migrate --agents' | 'migrate --jobs' | \
        'migrate -j' | 'mcp --tools')
            echo 'free' ;;
        *' --output' | *' -o')
            echo '=table text json ndjson csv id' ;;
        'add --type' | 'search --type' | 'recall --type' | 'list --type' | 'forget --type' | 'export --type')
            echo '=short-term long-term conversation episodic semantic procedural note fact chat event doc skill' ;;
        'add --key' | 'add -k' | 'search --key' | 'search -k' | 'recall --key' | 'recall -k' | 'list --key' | \
        'list -k' | 'update --key' | 'update -k' | 'forget --key' | 'forget -k' | 'fact add --key' | \
        'fact add -k' | 'doc add --key' | 'doc add -k' | 'export --key' | 'export -k')
            echo '@keys' ;;
        'add --tag' | 'add -t' | 'search --tag' | 'search -t' | 'search --every-tag' | 'recall --tag' | \
        'recall -t' | 'recall --every-tag' | 'list --tag' | 'list -t' | 'list --every-tag' | 'update --tag' | \
        'update --add-tag' | 'update -t' | 'update --remove-tag' | 'forget --tag' | 'forget -t' | \
        'forget --every-tag' | 'fact add --tag' | 'fact add -t' | 'fact list --tag' | 'fact list -t' | \
        'pref set --tag' | 'pref set -t' | 'chat add --tag' | 'chat add -t' | 'event add --tag' | \
        'event add -t' | 'doc add --tag' | 'doc add -t' | 'skill add --tag' | 'skill add -t' | \
        'export --tag' | 'export -t' | 'export --every-tag')
            echo '@tags' ;;
        'add --session' | 'search --session' | 'recall --session' | 'list --session' | 'update --session' | \
        'forget --session' | 'chat add --conversation' | 'chat add -c' | 'chat last --conversation' | \
        'chat last -c' | 'chat show --conversation' | 'chat show -c' | 'chat summarize --conversation' | \
        'chat summarize -c' | 'chat delete --conversation' | 'chat delete -c' | 'export --session')
            echo '@sessions' ;;
        'search --mode' | 'recall --mode')
            echo '=hybrid keyword vector' ;;
        'recall --format' | 'recall -f')
            echo '=markdown text xml json messages' ;;
        'list --sort')
            echo '=created updated occurred used importance' ;;
        'skill list --sort')
            echo '=created used success' ;;
        'reembed --model')
            echo '=all-MiniLM-L6-v2-int8 multilingual-e5-small-q4 BAAI/bge-small-en-v1.5 BAAI/bge-base-en-v1.5 sentence-transformers/all-MiniLM-L6-v2 nomic-ai/nomic-embed-text-v1.5-Q sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2 sentence-transformers/paraphrase-multilingual-mpnet-base-v2 intfloat/multilingual-e5-large BAAI/bge-small-zh-v1.5 Xenova/ms-marco-MiniLM-L-6-v2 BAAI/bge-reranker-base' ;;
        'import --on-conflict' | 'migrate --on-conflict')
            echo '=refuse keep replace' ;;
        'mcp --print')
            echo '=claude codex gemini copilot opencode cursor windsurf zed' ;;
    esac
}

__agentmem_argument() { # PATH NUMBER: what that argument is
    case "$1 $2" in
        'get '* | 'update 0' | 'pin '* | 'unpin '* | 'forget '* | 'restore '* | 'fact update 0' | \
        'doc related 0' | 'history 0')
            echo '@ids' ;;
        'work set 0' | 'work get 0' | 'work extend 0' | 'work clear '*)
            echo '@working' ;;
        'pref set 0' | 'pref list 0')
            echo '@categories' ;;
        'chat add 0')
            echo '=user assistant system tool' ;;
        'chat show 0' | 'chat switch 0' | 'chat summarize 0' | 'chat delete 0')
            echo '@sessions' ;;
        'doc add '* | 'export 0' | 'import 0')
            echo 'files' ;;
        'doc show 0')
            echo '@documents' ;;
        'skill used 0' | 'skill show 0')
            echo '@skills' ;;
        'reembed 0')
            echo '=local multilingual fastembed openai dummy' ;;
        'agents show 0' | 'agents rename 0' | 'agents rm 0')
            echo '@agents' ;;
        'config get 0' | 'config set 0')
            echo '=agent db home output limit budget tags mcp_idle warm backend embedding.provider short_term_ttl conversation_max_messages enable_scoring enable_decay decay_half_life standing_share standing_rule offline session' ;;
        'model pull 0' | 'model path 0' | 'model verify 0')
            echo '=all-MiniLM-L6-v2-int8 multilingual-e5-small-q4 BAAI/bge-small-en-v1.5 BAAI/bge-base-en-v1.5 sentence-transformers/all-MiniLM-L6-v2 nomic-ai/nomic-embed-text-v1.5-Q sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2 sentence-transformers/paraphrase-multilingual-mpnet-base-v2 intfloat/multilingual-e5-large BAAI/bge-small-zh-v1.5 Xenova/ms-marco-MiniLM-L-6-v2 BAAI/bge-reranker-base' ;;
        'completion 0')
            echo '=bash zsh fish powershell' ;;
        'help '*)
            echo '=add search recall get list update pin unpin forget restore work fact pref chat event doc skill history log undo status stats doctor index reembed sql export import migrate agents config model mcp warm storage completion help version' ;;
    esac
}

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

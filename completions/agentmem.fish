# fish completion for agentmem, made by `agentmem completion fish`.
# To use it:  agentmem completion fish > ~/.config/fish/completions/agentmem.fish

function __agentmem_commands -a at # the commands below it
    switch "$at"
        case ''
            printf '%s\t%s\n' \
                'add' 'Store a memory and print its id' \
                'search' 'Find memories by words and meaning together, best first' \
                'recall' 'Pack what matters into a prompt of a given size' \
                'get' 'Show memories by id, unique prefix of an id, or key' \
                'list' 'List memories, newest first' \
                'update' 'Store a new version of a memory; what is not given stays as it is' \
                'pin' 'Mark memories as ones that always count' \
                'unpin' 'Take the mark of pin off again' \
                'forget' 'Put memories away; restore brings them back' \
                'restore' 'Bring forgotten memories back as they were' \
                'work' 'Working memory: values for the task at hand' \
                'fact' 'Long-term memory: facts' \
                'pref' 'Long-term memory: preferences' \
                'chat' 'Conversations: who said what' \
                'event' 'Episodic memory: what happened' \
                'doc' 'Semantic memory: knowledge and documents' \
                'skill' 'Procedural memory: skills and workflows' \
                'history' 'List a memory\'s versions, oldest first' \
                'log' 'List the latest commands that changed something' \
                'undo' 'Take back the latest commands' \
                'status' 'Say how things stand: the file, how it is searched, the embedder, and what is not embedded yet' \
                'stats' 'Count what there is by type, age and tag, with a small chart' \
                'doctor' 'Compare everything in the store that must agree; exit code 5 if something does not' \
                'index' 'Embed what is not embedded yet, so that it is found by meaning too' \
                'reembed' 'Embed everything with another embedder, then switch to it' \
                'sql' 'Query the memory file in SQL, for reading only' \
                'export' 'Write all memories as lines of JSON, archived ones too' \
                'import' 'Take over what export wrote: ids, versions, times and all' \
                'migrate' 'Copy everything of one agent, or of many, into another store, and compare both' \
                'agents' 'The agents that have a memory here' \
                'config' 'Settings' \
                'model' 'Models that embed and rerank' \
                'mcp' 'Serve an agent\'s memory as tools by the Model Context Protocol, on stdin and stdout' \
                'warm' 'A process that stays and answers commands at once; by itself it starts' \
                'storage' 'Servers that keep the memories' \
                'completion' 'Print a shell\'s completion script; its first lines say where to put it' \
                'help' 'Show the help of a command; with --json the whole tree' \
                'version' 'Print the version'
        case 'work'
            printf '%s\t%s\n' \
                'set' 'Set a working-memory value, replacing the one that was there' \
                'get' 'Print a working-memory value' \
                'list' 'List the working-memory values that are set, newest first' \
                'extend' 'Let a short-term memory live longer; by the usual time, if none is given' \
                'clear' 'Put working-memory values away; agentmem undo brings them back'
        case 'fact'
            printf '%s\t%s\n' \
                'add' 'Store a fact; one that is known already keeps its id and gains the tags' \
                'list' 'List facts, newest first; with tags, those that have any of them' \
                'update' 'Store a new version of a fact; the old one stays in its history' \
                'dupes' 'Show facts that say the same, and similar ones; merge the same if asked to'
        case 'pref'
            printf '%s\t%s\n' \
                'set' 'Set a preference, in place of the one that was set for that category' \
                'list' 'List preferences, newest first'
        case 'chat'
            printf '%s\t%s\n' \
                'add' 'Add a message at the end of a conversation' \
                'last' 'Show the last turns: what the user said, and what the assistant answered' \
                'show' 'Show a conversation\'s newest messages, oldest of them first' \
                'list' 'List the conversations, the one most recently written to first' \
                'new' 'Begin a conversation, use it from now on, and print its id' \
                'switch' 'Use another conversation from now on, where none is named' \
                'summarize' 'Summarise a conversation by its most telling sentences' \
                'delete' 'Put a conversation away, its summary too; agentmem undo brings it back'
        case 'event'
            printf '%s\t%s\n' \
                'add' 'Record something that happened' \
                'recent' 'Show the events of the last hours, latest first' \
                'failed' 'Show the events that went wrong, latest first' \
                'succeeded' 'Show the events that went well, latest first' \
                'similar' 'Find events like the one described, by words and by meaning, best first' \
                'timeline' 'Show events in the order in which they happened'
        case 'doc'
            printf '%s\t%s\n' \
                'add' 'Store documents, or bring them up to date, and print the ids of their chunks' \
                'list' 'List documents and single pieces of knowledge, newest first' \
                'show' 'Print a document, all of it' \
                'related' 'Find knowledge near a piece of it in meaning, nearest first'
        case 'skill'
            printf '%s\t%s\n' \
                'add' 'Store a skill: how something is done, in a text or in steps' \
                'find' 'Find the skills that a situation calls for, best first' \
                'used' 'Count one use of a skill, and whether it worked' \
                'list' 'List skills: newest first, or the most used, or those that have proved themselves' \
                'show' 'Show a skill: how it is done, when, and how well it has worked'
        case 'agents'
            printf '%s\t%s\n' \
                'list' 'List the agents that have a file here, or that the server in use keeps' \
                'show' 'Show one agent\'s file: where it is, what is in it, and what embedded it' \
                'rename' 'Give an agent another name, in its file and as its file\'s name' \
                'rm' 'Delete an agent with everything that is kept of it'
        case 'config'
            printf '%s\t%s\n' \
                'show' 'Show every setting with its value; passwords are shown as ***' \
                'get' 'Print one setting\'s value; nothing if it is not set' \
                'set' 'Set a setting in the user\'s config file; its comments stay' \
                'path' 'Print where the user\'s config file is, or would be' \
                'edit' 'Open the user\'s config file in VISUAL or EDITOR, and check it afterwards' \
                'trust' 'Let this project\'s .agentmem.toml decide where memory goes'
        case 'model'
            printf '%s\t%s\n' \
                'list' 'List the models known by name, to embed or to rerank with, and which of them are here' \
                'pull' 'Download a model into the cache folder, or what is missing of it, and check it' \
                'path' 'Print the folder of a model on this machine' \
                'verify' 'Check a model\'s weights from end to end, and print their sha256'
        case 'warm'
            printf '%s\t%s\n' \
                'start' 'Start a process that stays and answers commands at once, until 15 minutes pass without one' \
                'status' 'Say whether the warm process runs, since when, what it takes, and what it has answered' \
                'stop' 'End the warm process; commands that it is in the middle of are finished first'
        case 'storage'
            printf '%s\t%s\n' \
                'distribute' 'Print the SQL that distributes the tables over several servers with Citus; run none of it'
    end
end

function __agentmem_options -a at # its own options
    switch "$at"
        case ''
            printf '%s\t%s\n' \
                '--agent' 'Whose memory' \
                '-a' 'Whose memory' \
                '--db' 'The file itself; beats --agent' \
                '--backend' 'A backend\'s name or URL' \
                '--output' 'table, text, json, ndjson, csv or id' \
                '-o' 'table, text, json, ndjson, csv or id' \
                '--json' 'Short for --output json' \
                '--ndjson' 'Short for --output ndjson' \
                '--quiet' 'No notices on stderr' \
                '-q' 'No notices on stderr' \
                '--verbose' 'More of them' \
                '-v' 'More of them' \
                '--debug' 'Show where an error comes from' \
                '--offline' 'Never use the network' \
                '--yes' 'Do not ask' \
                '-y' 'Do not ask' \
                '--help' 'Show this message and exit' \
                '-h' 'Show this message and exit'
        case 'add'
            printf '%s\t%s\n' \
                '--type' 'short-term, long-term, conversation, episodic, semantic or procedural, or its alias: note, fact, chat, event, doc, skill' \
                '--key' 'A name; adding again makes a version' \
                '-k' 'A name; adding again makes a version' \
                '--tag' 'A tag; may be repeated' \
                '-t' 'A tag; may be repeated' \
                '--meta' 'A metadata value; may be repeated' \
                '-m' 'A metadata value; may be repeated' \
                '--importance' 'How much it matters' \
                '--ttl' 'How long it lives: 90s, 10m, 2h, 7d' \
                '--source' 'Where it comes from' \
                '--session' 'The session or conversation' \
                '--at' 'When it happened, if not now' \
                '--pin' 'Make it part of every brief' \
                '--file' 'Take the text from a file; may be repeated' \
                '--glob' 'Take texts from the files that fit, such as \'*.md\'' \
                '--lines' 'One memory per line' \
                '--ndjson-in' 'One JSON object per line, with these names' \
                '--force' 'Store it even if it is known already' \
                '--no-embed' 'Leave embedding to a later search or \'agentmem index\'' \
                '--dry-run' 'Only show what would be done'
        case 'search'
            printf '%s\t%s\n' \
                '--limit' 'How many at most' \
                '-n' 'How many at most' \
                '--mode' 'hybrid, keyword or vector; keyword loads no model' \
                '--type' 'Only this type: note, fact, chat, event, doc, skill; may be repeated' \
                '--tag' 'Only with any of these tags' \
                '-t' 'Only with any of these tags' \
                '--every-tag' 'Only with all of these tags' \
                '--since' 'Only from then on: 2026-05-08, yesterday, 7d' \
                '--until' 'Only before then' \
                '--min-importance' 'Only this important or more' \
                '--where' 'Only where the metadata says so: lang=en, stars>=3, or lang: has any; repeated, all must hold' \
                '--field' 'Only where the type\'s own field says so: outcome=failed, category=ui' \
                '--key' 'Only with one of these keys' \
                '-k' 'Only with one of these keys' \
                '--session' 'The session or conversation' \
                '--source' 'Where it comes from' \
                '--pinned' 'Only pinned ones' \
                '--min-relevance' 'Only what answers with this probability; .5 is as likely as not, in every store' \
                '--min-score' 'Only from this score on; it orders one search and is no probability' \
                '--explain' 'Show the parts of each score' \
                '--rerank' 'Order the best 50 by how well their words match; with rerank.model, by a cross-encoder' \
                '--fail-empty' 'Exit with 3 if nothing is found, or reaches what is asked for'
        case 'recall'
            printf '%s\t%s\n' \
                '--budget' 'How long it may be; 2000 unless the setting says otherwise' \
                '-b' 'How long it may be; 2000 unless the setting says otherwise' \
                '--format' 'markdown, text, xml, json or messages' \
                '-f' 'markdown, text, xml, json or messages' \
                '--type' 'Only this type: note, fact, chat, event, doc, skill; may be repeated' \
                '--tag' 'Only with any of these tags' \
                '-t' 'Only with any of these tags' \
                '--every-tag' 'Only with all of these tags' \
                '--since' 'Only from then on: 2026-05-08, yesterday, 7d' \
                '--until' 'Only before then' \
                '--min-importance' 'Only this important or more' \
                '--where' 'Only where the metadata says so: lang=en, stars>=3, or lang: has any; repeated, all must hold' \
                '--field' 'Only where the type\'s own field says so: outcome=failed, category=ui' \
                '--key' 'Only with one of these keys' \
                '-k' 'Only with one of these keys' \
                '--session' 'The session or conversation' \
                '--source' 'Where it comes from' \
                '--pinned' 'Only pinned ones' \
                '--min-relevance' 'Leave out what is less relevant; 0 fills the budget' \
                '--last' 'Add the latest N messages' \
                '--mode' 'hybrid, keyword or vector' \
                '--rerank' 'Order the best 50 by how well their words match; with rerank.model, by a cross-encoder' \
                '--standing-share' 'How much of it standing context may take; 0 leaves that out' \
                '--explain' 'Say on stderr what was taken, and why' \
                '--fail-empty' 'Exit with 3 if nothing that was found is relevant enough'
        case 'list'
            printf '%s\t%s\n' \
                '--type' 'Only this type: note, fact, chat, event, doc, skill; may be repeated' \
                '--tag' 'Only with any of these tags' \
                '-t' 'Only with any of these tags' \
                '--every-tag' 'Only with all of these tags' \
                '--since' 'Only from then on: 2026-05-08, yesterday, 7d' \
                '--until' 'Only before then' \
                '--min-importance' 'Only this important or more' \
                '--where' 'Only where the metadata says so: lang=en, stars>=3, or lang: has any; repeated, all must hold' \
                '--field' 'Only where the type\'s own field says so: outcome=failed, category=ui' \
                '--key' 'Only with one of these keys' \
                '-k' 'Only with one of these keys' \
                '--session' 'The session or conversation' \
                '--source' 'Where it comes from' \
                '--pinned' 'Only pinned ones' \
                '--archived' 'What was forgotten, instead of what is live' \
                '--sort' 'created, updated, occurred, used or importance' \
                '--limit' 'How many at most' \
                '-n' 'How many at most' \
                '--all' 'All of them, however many'
        case 'update'
            printf '%s\t%s\n' \
                '--tag' 'Add a tag' \
                '--add-tag' 'Add a tag' \
                '-t' 'Add a tag' \
                '--remove-tag' 'Remove a tag' \
                '--meta' 'A metadata value; may be repeated' \
                '-m' 'A metadata value; may be repeated' \
                '--importance' 'How much it matters' \
                '--ttl' 'How long it lives: 90s, 10m, 2h, 7d' \
                '--key' 'A name; adding again makes a version' \
                '-k' 'A name; adding again makes a version' \
                '--source' 'Where it comes from' \
                '--session' 'The session or conversation' \
                '--at' 'When it happened, if not now' \
                '--no-ttl' 'Let it live for good' \
                '--no-key' 'Take its key away' \
                '--no-source' 'Take its source away' \
                '--no-at' 'Take its time of happening away' \
                '--field' 'One of the type\'s own fields: outcome=success'
        case 'forget'
            printf '%s\t%s\n' \
                '--type' 'Only this type: note, fact, chat, event, doc, skill; may be repeated' \
                '--tag' 'Only with any of these tags' \
                '-t' 'Only with any of these tags' \
                '--every-tag' 'Only with all of these tags' \
                '--since' 'Only from then on: 2026-05-08, yesterday, 7d' \
                '--until' 'Only before then' \
                '--min-importance' 'Only this important or more' \
                '--where' 'Only where the metadata says so: lang=en, stars>=3, or lang: has any; repeated, all must hold' \
                '--field' 'Only where the type\'s own field says so: outcome=failed, category=ui' \
                '--key' 'Only with one of these keys' \
                '-k' 'Only with one of these keys' \
                '--session' 'The session or conversation' \
                '--source' 'Where it comes from' \
                '--pinned' 'Only pinned ones' \
                '--before' 'What happened before then' \
                '--expired' 'What has expired' \
                '--purge' 'Take the rows away; only history keeps the text' \
                '--shred' 'Leave nothing, in history either' \
                '--dry-run' 'Only show what would be done'
        case 'work set'
            printf '%s\t%s\n' \
                '--parse' 'Read the value as JSON instead of as text' \
                '--ttl' 'How long it lives: 90s, 10m, 2h, 7d' \
                '--importance' 'How much it matters'
        case 'work list'
            printf '%s\t%s\n' \
                '--limit' 'How many at most' \
                '-n' 'How many at most' \
                '--all' 'All of them, however many'
        case 'work clear'
            printf '%s\t%s\n' \
                '--all' 'All short-term memory: notes and context too' \
                '--expired' 'Take out what has expired, for good' \
                '--dry-run' 'Only show what would be done'
        case 'fact add'
            printf '%s\t%s\n' \
                '--tag' 'A tag; may be repeated' \
                '-t' 'A tag; may be repeated' \
                '--key' 'A name; adding again makes a version' \
                '-k' 'A name; adding again makes a version' \
                '--source' 'Where it comes from' \
                '--importance' 'How much it matters' \
                '--meta' 'A metadata value; may be repeated' \
                '-m' 'A metadata value; may be repeated' \
                '--standing' 'Part of every recall\'s standing context; tags it standing' \
                '--force' 'Store it even if it is known already'
        case 'fact list'
            printf '%s\t%s\n' \
                '--tag' 'Only with any of these tags' \
                '-t' 'Only with any of these tags' \
                '--limit' 'How many at most' \
                '-n' 'How many at most' \
                '--all' 'All of them, however many'
        case 'fact update'
            printf '%s\t%s\n' \
                '--importance' 'How much it matters' \
                '--standing' 'Whether it is part of every recall\'s standing context' \
                '--no-standing' 'Whether it is part of every recall\'s standing context'
        case 'fact dupes'
            printf '%s\t%s\n' \
                '--threshold' 'The least cosine of what is shown as similar' \
                '--merge' 'Merge those that say the same; \'agentmem undo\' takes that back' \
                '--dry-run' 'Only show what would be done'
        case 'pref set'
            printf '%s\t%s\n' \
                '--importance' 'How much it matters' \
                '--tag' 'A tag; may be repeated' \
                '-t' 'A tag; may be repeated' \
                '--beside' 'Keep what was set before, and store this one beside it'
        case 'chat add'
            printf '%s\t%s\n' \
                '--name' 'Who speaks' \
                '--at' 'When it happened, if not now' \
                '--conversation' 'Which conversation' \
                '-c' 'Which conversation' \
                '--importance' 'How much it matters' \
                '--tag' 'A tag; may be repeated' \
                '-t' 'A tag; may be repeated' \
                '--meta' 'A metadata value; may be repeated' \
                '-m' 'A metadata value; may be repeated'
        case 'chat last'
            printf '%s\t%s\n' \
                '--conversation' 'Which conversation' \
                '-c' 'Which conversation'
        case 'chat show'
            printf '%s\t%s\n' \
                '--conversation' 'Which conversation' \
                '-c' 'Which conversation' \
                '--limit' 'How many of the newest; 50, or the window if smaller' \
                '-n' 'How many of the newest; 50, or the window if smaller' \
                '--all' 'All of them, however many' \
                '--archived' 'What was put away, instead; \'agentmem restore\' brings it back' \
                '--system' 'With or without system messages' \
                '--no-system' 'With or without system messages'
        case 'chat list'
            printf '%s\t%s\n' \
                '--archived' 'Those of which messages were put away, and how many'
        case 'chat summarize'
            printf '%s\t%s\n' \
                '--conversation' 'Which conversation' \
                '-c' 'Which conversation'
        case 'chat delete'
            printf '%s\t%s\n' \
                '--conversation' 'Which conversation' \
                '-c' 'Which conversation' \
                '--purge' 'Take the rows away; only history keeps the text' \
                '--shred' 'Leave nothing, in history either' \
                '--dry-run' 'Only show what would be done'
        case 'event add'
            printf '%s\t%s\n' \
                '--type' 'What kind of event: deploy, ci, meeting' \
                '--outcome' 'How it ended: success, failed: why, any words' \
                '--succeeded' 'Whether it went well, outright' \
                '--success' 'Whether it went well, outright' \
                '--failed' 'Whether it went well, outright' \
                '--failure' 'Whether it went well, outright' \
                '--participant' 'Who took part' \
                '--location' 'Where it happened' \
                '--duration' 'How long it took: 90s, 2h' \
                '--at' 'When it happened, if not now' \
                '--importance' 'How much it matters' \
                '--tag' 'A tag; may be repeated' \
                '-t' 'A tag; may be repeated' \
                '--meta' 'A metadata value; may be repeated' \
                '-m' 'A metadata value; may be repeated' \
                '--source' 'Where it comes from'
        case 'event recent'
            printf '%s\t%s\n' \
                '--hours' 'How far back' \
                '--limit' 'How many at most' \
                '-n' 'How many at most'
        case 'event failed'
            printf '%s\t%s\n' \
                '--type' 'Only this kind of event' \
                '--limit' 'How many at most' \
                '-n' 'How many at most'
        case 'event succeeded'
            printf '%s\t%s\n' \
                '--type' 'Only this kind of event' \
                '--limit' 'How many at most' \
                '-n' 'How many at most'
        case 'event similar'
            printf '%s\t%s\n' \
                '--limit' 'How many at most' \
                '-n' 'How many at most'
        case 'event timeline'
            printf '%s\t%s\n' \
                '--since' 'Only from then on: 2026-05-08, yesterday, 7d' \
                '--until' 'Only before then' \
                '--type' 'Only this kind of event' \
                '--limit' 'How many at most' \
                '-n' 'How many at most'
        case 'doc add'
            printf '%s\t%s\n' \
                '--text' 'A text that is no file' \
                '--file' 'The same as PATH; may be repeated' \
                '--glob' 'Take texts from the files that fit, such as \'*.md\'' \
                '--prune' 'Archive documents of files that are gone from these folders' \
                '--title' 'Its title; a file\'s name if left out' \
                '--key' 'A name; adding again makes a version' \
                '-k' 'A name; adding again makes a version' \
                '--source' 'Where it comes from' \
                '--tag' 'A tag; may be repeated' \
                '-t' 'A tag; may be repeated' \
                '--meta' 'A metadata value; may be repeated' \
                '-m' 'A metadata value; may be repeated' \
                '--importance' 'How much it matters' \
                '--no-embed' 'Leave embedding to a later search or \'agentmem index\'' \
                '--dry-run' 'Only show what would be done'
        case 'doc list'
            printf '%s\t%s\n' \
                '--limit' 'How many at most' \
                '-n' 'How many at most' \
                '--all' 'All of them, however many'
        case 'doc related'
            printf '%s\t%s\n' \
                '--limit' 'How many at most' \
                '-n' 'How many at most' \
                '--min-similarity' 'The least cosine that counts'
        case 'skill add'
            printf '%s\t%s\n' \
                '--trigger' 'What in a situation calls for it' \
                '--step' 'One step of a workflow, instead of a text' \
                '--category' 'What kind of skill' \
                '--importance' 'How much it matters' \
                '--tag' 'A tag; may be repeated' \
                '-t' 'A tag; may be repeated' \
                '--meta' 'A metadata value; may be repeated' \
                '-m' 'A metadata value; may be repeated' \
                '--source' 'Where it comes from'
        case 'skill find'
            printf '%s\t%s\n' \
                '--limit' 'How many at most' \
                '-n' 'How many at most'
        case 'skill used'
            printf '%s\t%s\n' \
                '--failed' 'It did not work this time'
        case 'skill list'
            printf '%s\t%s\n' \
                '--category' 'Only this kind' \
                '--sort' 'By what' \
                '--limit' 'How many at most' \
                '-n' 'How many at most'
        case 'log'
            printf '%s\t%s\n' \
                '--limit' 'How many at most' \
                '-n' 'How many at most'
        case 'undo'
            printf '%s\t%s\n' \
                '--dry-run' 'Only show what would be done'
        case 'stats'
            printf '%s\t%s\n' \
                '--top' 'How many tags'
        case 'doctor'
            printf '%s\t%s\n' \
                '--isolation' 'Plant a canary for one made-up agent and ask for it as another' \
                '--fix' 'Make everything derived anew: words, hashes, indexes; say what that mended' \
                '--salvage' 'Save what can be read of a damaged file into a new one'
        case 'index'
            printf '%s\t%s\n' \
                '--limit' 'At most so many texts' \
                '-n' 'At most so many texts'
        case 'reembed'
            printf '%s\t%s\n' \
                '--model' 'Which of its models' \
                '--dry-run' 'Only show what would be done'
        case 'sql'
            printf '%s\t%s\n' \
                '--param' 'The value of :NAME in the SQL; may be repeated' \
                '-p' 'The value of :NAME in the SQL; may be repeated' \
                '--tables' 'List the tables and views, with their rows and columns' \
                '--schema' 'Print the SQL that makes them'
        case 'export'
            printf '%s\t%s\n' \
                '--history' 'All versions too, also of what is gone' \
                '--usage' 'How often each was accessed, too' \
                '--with-vectors' 'The vectors too, in half precision' \
                '--type' 'Only this type: note, fact, chat, event, doc, skill; may be repeated' \
                '--tag' 'Only with any of these tags' \
                '-t' 'Only with any of these tags' \
                '--every-tag' 'Only with all of these tags' \
                '--since' 'Only from then on: 2026-05-08, yesterday, 7d' \
                '--until' 'Only before then' \
                '--min-importance' 'Only this important or more' \
                '--where' 'Only where the metadata says so: lang=en, stars>=3, or lang: has any; repeated, all must hold' \
                '--field' 'Only where the type\'s own field says so: outcome=failed, category=ui' \
                '--key' 'Only with one of these keys' \
                '-k' 'Only with one of these keys' \
                '--session' 'The session or conversation' \
                '--source' 'Where it comes from' \
                '--pinned' 'Only pinned ones'
        case 'import'
            printf '%s\t%s\n' \
                '--on-conflict' 'Where one differs there: refuse (write nothing), keep it, or replace it' \
                '--no-embed' 'Leave embedding to a later search or \'agentmem index\'' \
                '--dry-run' 'Only show what would be done'
        case 'migrate'
            printf '%s\t%s\n' \
                '--to' 'Where to: a backend\'s URL, or the path of a file or folder' \
                '--from' 'Where from, if not the memory in use' \
                '--on-conflict' 'Where one differs there: refuse (write nothing), keep it, or replace it' \
                '--switch' 'Move what is in use: writes are refused here once all of it is there' \
                '--all' 'All agents of a server, or of a folder of files' \
                '--agents' 'Only these agents, such as \'team-*\'; may be repeated' \
                '--jobs' 'How many agents at once' \
                '-j' 'How many agents at once' \
                '--reopen' 'Take --switch back: let the old place take writes again' \
                '--dry-run' 'Only show what would be done'
        case 'agents rm'
            printf '%s\t%s\n' \
                '--dry-run' 'Only show what would be done'
        case 'config show'
            printf '%s\t%s\n' \
                '--origin' 'Also say who set it, and where'
        case 'config set'
            printf '%s\t%s\n' \
                '--unset' 'Take it out, so that the default counts again'
        case 'config path'
            printf '%s\t%s\n' \
                '--project' 'The project file that counts here instead'
        case 'config trust'
            printf '%s\t%s\n' \
                '--withdraw' 'Trust it no longer'
        case 'mcp'
            printf '%s\t%s\n' \
                '--read-only' 'Offer only the tools that change nothing' \
                '--tools' 'Offer only these, with commas between: recall,search' \
                '--print' 'Print what makes a program start this server: claude, codex, gemini, copilot, opencode, cursor, windsurf, zed' \
                '--cost' 'Print what the tools\' definitions take of a prompt, and end'
        case 'storage distribute'
            printf '%s\t%s\n' \
                '--schema' 'Keep the schema whole on one server; each group of agents has one' \
                '--row' 'Spread the agents of one schema over the servers, each of them whole'
        case 'help'
            printf '%s\t%s\n' \
                '--skill' 'Print a SKILL.md that teaches these commands to a coding agent'
    end
end

function __agentmem_takes -a at option # what the option's value is
    switch "$at $option"
        case '* --agent' '* -a'
            echo '@agents'
        case '* --db' 'add --file' 'doc add --file'
            echo 'files'
        case '* --backend' 'add --meta' 'add -m' 'add --importance' 'add --ttl' 'add --source' 'add --at' 'add --glob' 'search --limit' 'search -n' 'search --since' 'search --until' 'search --min-importance' 'search --where' 'search --field' 'search --source' 'search --min-relevance' 'search --min-score' 'recall --budget' 'recall -b' 'recall --since' 'recall --until' 'recall --min-importance' 'recall --where' 'recall --field' 'recall --source' 'recall --min-relevance' 'recall --last' 'recall --standing-share' 'list --since' 'list --until' 'list --min-importance' 'list --where' 'list --field' 'list --source' 'list --limit' 'list -n' 'update --meta' 'update -m' 'update --importance' 'update --ttl' 'update --source' 'update --at' 'update --field' 'forget --since' 'forget --until' 'forget --min-importance' 'forget --where' 'forget --field' 'forget --source' 'forget --before' 'work set --ttl' 'work set --importance' 'work list --limit' 'work list -n' 'fact add --source' 'fact add --importance' 'fact add --meta' 'fact add -m' 'fact list --limit' 'fact list -n' 'fact update --importance' 'fact dupes --threshold' 'pref set --importance' 'chat add --name' 'chat add --at' 'chat add --importance' 'chat add --meta' 'chat add -m' 'chat show --limit' 'chat show -n' 'event add --type' 'event add --outcome' 'event add --participant' 'event add --location' 'event add --duration' 'event add --at' 'event add --importance' 'event add --meta' 'event add -m' 'event add --source' 'event recent --hours' 'event recent --limit' 'event recent -n' 'event failed --type' 'event failed --limit' 'event failed -n' 'event succeeded --type' 'event succeeded --limit' 'event succeeded -n' 'event similar --limit' 'event similar -n' 'event timeline --since' 'event timeline --until' 'event timeline --type' 'event timeline --limit' 'event timeline -n' 'doc add --text' 'doc add --glob' 'doc add --title' 'doc add --source' 'doc add --meta' 'doc add -m' 'doc add --importance' 'doc list --limit' 'doc list -n' 'doc related --limit' 'doc related -n' 'doc related --min-similarity' 'skill add --trigger' 'skill add --step' 'skill add --category' 'skill add --importance' 'skill add --meta' 'skill add -m' 'skill add --source' 'skill find --limit' 'skill find -n' 'skill list --category' 'skill list --limit' 'skill list -n' 'log --limit' 'log -n' 'stats --top' 'doctor --salvage' 'index --limit' 'index -n' 'sql --param' 'sql -p' 'export --since' 'export --until' 'export --min-importance' 'export --where' 'export --field' 'export --source' 'migrate --to' 'migrate --from' 'migrate --agents' 'migrate --jobs' 'migrate -j' 'mcp --tools'
            echo 'free'
        case '* --output' '* -o'
            echo '=table text json ndjson csv id'
        case 'add --type' 'search --type' 'recall --type' 'list --type' 'forget --type' 'export --type'
            echo '=short-term long-term conversation episodic semantic procedural note fact chat event doc skill'
        case 'add --key' 'add -k' 'search --key' 'search -k' 'recall --key' 'recall -k' 'list --key' 'list -k' 'update --key' 'update -k' 'forget --key' 'forget -k' 'fact add --key' 'fact add -k' 'doc add --key' 'doc add -k' 'export --key' 'export -k'
            echo '@keys'
        case 'add --tag' 'add -t' 'search --tag' 'search -t' 'search --every-tag' 'recall --tag' 'recall -t' 'recall --every-tag' 'list --tag' 'list -t' 'list --every-tag' 'update --tag' 'update --add-tag' 'update -t' 'update --remove-tag' 'forget --tag' 'forget -t' 'forget --every-tag' 'fact add --tag' 'fact add -t' 'fact list --tag' 'fact list -t' 'pref set --tag' 'pref set -t' 'chat add --tag' 'chat add -t' 'event add --tag' 'event add -t' 'doc add --tag' 'doc add -t' 'skill add --tag' 'skill add -t' 'export --tag' 'export -t' 'export --every-tag'
            echo '@tags'
        case 'add --session' 'search --session' 'recall --session' 'list --session' 'update --session' 'forget --session' 'chat add --conversation' 'chat add -c' 'chat last --conversation' 'chat last -c' 'chat show --conversation' 'chat show -c' 'chat summarize --conversation' 'chat summarize -c' 'chat delete --conversation' 'chat delete -c' 'export --session'
            echo '@sessions'
        case 'search --mode' 'recall --mode'
            echo '=hybrid keyword vector'
        case 'recall --format' 'recall -f'
            echo '=markdown text xml json messages'
        case 'list --sort'
            echo '=created updated occurred used importance'
        case 'skill list --sort'
            echo '=created used success'
        case 'reembed --model'
            echo '=all-MiniLM-L6-v2-int8 multilingual-e5-small-q4 BAAI/bge-small-en-v1.5 BAAI/bge-base-en-v1.5 sentence-transformers/all-MiniLM-L6-v2 nomic-ai/nomic-embed-text-v1.5-Q sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2 sentence-transformers/paraphrase-multilingual-mpnet-base-v2 intfloat/multilingual-e5-large BAAI/bge-small-zh-v1.5 Xenova/ms-marco-MiniLM-L-6-v2 BAAI/bge-reranker-base'
        case 'import --on-conflict' 'migrate --on-conflict'
            echo '=refuse keep replace'
        case 'mcp --print'
            echo '=claude codex gemini copilot opencode cursor windsurf zed'
    end
end

function __agentmem_argument -a at number # what that argument is
    switch "$at $number"
        case 'get *' 'update 0' 'pin *' 'unpin *' 'forget *' 'restore *' 'fact update 0' 'doc related 0' 'history 0'
            echo '@ids'
        case 'work set 0' 'work get 0' 'work extend 0' 'work clear *'
            echo '@working'
        case 'pref set 0' 'pref list 0'
            echo '@categories'
        case 'chat add 0'
            echo '=user assistant system tool'
        case 'chat show 0' 'chat switch 0' 'chat summarize 0' 'chat delete 0'
            echo '@sessions'
        case 'doc add *' 'export 0' 'import 0'
            echo 'files'
        case 'doc show 0'
            echo '@documents'
        case 'skill used 0' 'skill show 0'
            echo '@skills'
        case 'reembed 0'
            echo '=local multilingual fastembed openai dummy'
        case 'agents show 0' 'agents rename 0' 'agents rm 0'
            echo '@agents'
        case 'config get 0' 'config set 0'
            echo '=agent db home output limit budget tags mcp_idle warm backend embedding.provider short_term_ttl conversation_max_messages enable_scoring enable_decay decay_half_life standing_share standing_rule offline session'
        case 'model pull 0' 'model path 0' 'model verify 0'
            echo '=all-MiniLM-L6-v2-int8 multilingual-e5-small-q4 BAAI/bge-small-en-v1.5 BAAI/bge-base-en-v1.5 sentence-transformers/all-MiniLM-L6-v2 nomic-ai/nomic-embed-text-v1.5-Q sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2 sentence-transformers/paraphrase-multilingual-mpnet-base-v2 intfloat/multilingual-e5-large BAAI/bge-small-zh-v1.5 Xenova/ms-marco-MiniLM-L-6-v2 BAAI/bge-reranker-base'
        case 'completion 0'
            echo '=bash zsh fish powershell'
        case 'help *'
            echo '=add search recall get list update pin unpin forget restore work fact pref chat event doc skill history log undo status stats doctor index reembed sql export import migrate agents config model mcp warm storage completion help version'
    end
end

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

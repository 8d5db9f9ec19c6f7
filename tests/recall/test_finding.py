"""What a user asks for is found: by meaning, in other scripts, at the end of long texts, under any embedder."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from agent_memory import AgentMemory, EmbeddingMismatchError, MemoryConfig
from agent_memory.recall.constants import MOST_BEGUN
from agent_memory.text.analysis import query_terms
from agent_memory.text.porter import stem

pytestmark = pytest.mark.anyio

# Facts, each with a question that shares no content word with it.
QUESTIONS = [
    ("User prefers dark mode", "Which theme should the interface have?"),
    ("Maria gave birth to twins in March", "Who became a mother recently?"),
    ("The car broke down on the motorway", "What happened to the vehicle?"),
    ("Our cat is called Whiskers", "What is the name of the pet?"),
    ("He is allergic to peanuts", "Which food must be avoided for medical reasons?"),
    ("The meeting was moved to Tuesday afternoon", "When does the appointment take place?"),
    ("She plays the violin in an orchestra", "Which musical instrument does this performer use?"),
    ("The server ran out of disk space last night", "Why did the machine crash, was storage full?"),
    ("Tom earns 80,000 dollars a year", "What is the salary of this employee?"),
    ("They got married in a small church in Tuscany", "Where was the wedding?"),
    ("I take the train to the office every morning", "How does the daily commute work?"),
    ("The soup needs more salt", "What is missing from the broth, which seasoning?"),
    ("Paris is the capital of France", "Which city is the French seat of government?"),
    ("My grandmother died when I was ten", "When did the narrator lose a relative in childhood?"),
    ("The laptop battery lasts only two hours", "How long can the computer run without a charger?"),
    ("Anna is fluent in Spanish and Portuguese", "Which foreign languages does she speak?"),
    ("The roof leaks when it rains", "Is there water damage in the house during storms?"),
    ("He quit smoking five years ago", "Has he given up cigarettes?"),
    ("The children are afraid of thunder", "What noise frightens the kids?"),
    ("We deploy every Friday at noon", "On what day are new releases shipped to production?"),
    ("The package was delivered to the wrong address", "Did the parcel arrive at an incorrect location?"),
    ("Her favourite colour is turquoise", "Which shade of blue-green does she like best?"),
    ("The restaurant closes at eleven", "Until what hour can people have dinner there?"),
    ("He broke his leg while skiing", "What injury did he get from a winter sport?"),
    ("The company laid off two hundred workers", "How many employees lost their jobs?"),
    ("I never drink coffee after lunch", "Do they have caffeine in the evening?"),
    ("The password is rotated each quarter", "How often are login credentials changed?"),
    ("It snowed heavily in the mountains", "What was the weather like in the Alps?"),
    ("She studied medicine in Vienna", "Where did she train to be a doctor?"),
    ("The old bridge was demolished in 1998", "What became of the river crossing, was it torn down?"),
]

CHINESE = [
    "会议改到星期五下午",
    "数据库放在奥斯陆",
    "用户喜欢深色模式",
    "密码每季度更换",
    "我的猫叫咪咪",
    "火车早上八点出发",
    "他对花生过敏",
    "服务器磁盘已满",
    "妹妹在维也纳学医",
    "桥梁去年拆除",
    "餐厅晚上十一点关门",
    "新版本周五发布",
    "她会说西班牙语",
    "孩子害怕打雷",
    "屋顶下雨时漏水",
    "电池只能用两小时",
    "公司裁掉二百人",
    "汽车停在车库",
    "奶奶住在成都",
    "山里下了大雪",
]
KOREAN = [
    "회의는 금요일로 옮겼다",
    "데이터베이스는 오슬로에 있다",
    "사용자는 어두운 화면을 좋아한다",
    "비밀번호는 분기마다 바꾼다",
    "고양이 이름은 나비다",
    "기차는 아침 여덟시에 떠난다",
    "그는 땅콩 알레르기가 있다",
    "서버 디스크가 가득 찼다",
    "누나는 빈에서 의학을 공부한다",
    "다리는 작년에 철거되었다",
    "식당은 밤 열한시에 닫는다",
    "새 버전은 금요일에 나온다",
    "그녀는 스페인어를 한다",
    "아이들은 천둥을 무서워한다",
    "지붕에서 비가 샌다",
    "배터리는 두시간만 간다",
    "회사는 이백명을 해고했다",
    "자동차는 차고에 있다",
    "할머니는 부산에 사신다",
    "산에 눈이 많이 내렸다",
]
RUSSIAN = [
    "Совещание перенесли на пятницу",
    "База данных находится в Осло",
    "Пользователь любит тёмную тему",
    "Пароль меняют каждый квартал",
    "Кошку зовут Мурка",
    "Поезд отправляется в восемь утра",
    "У него аллергия на арахис",
    "На сервере закончилось место",
    "Сестра изучает медицину в Вене",
    "Мост снесли в прошлом году",
    "Ресторан закрывается в одиннадцать",
    "Новую версию выпускают вечером",
    "Она говорит по-испански",
    "Дети боятся грома",
    "Крыша протекает во время дождя",
    "Батареи хватает на два часа",
    "Компания уволила двести человек",
    "Машина стоит в гараже",
    "Бабушка живёт в Самаре",
    "В горах выпал снег",
]


def local(path: Path, **more: object) -> MemoryConfig:
    return MemoryConfig(backend_config={"path": str(path)}, **more)


def english(count: int) -> list[str]:
    chance = random.Random(3)
    who = ["The team", "A customer", "Our vendor", "The night shift", "Someone in sales", "The new intern"]
    did = ["reported", "measured", "renamed", "postponed", "approved", "repaired"]
    what = [
        "the invoice export",
        "a login problem",
        "the quarterly plan",
        "the staging cluster",
        "an old contract",
    ]
    return [
        f"{chance.choice(who)} {chance.choice(did)} {chance.choice(what)}, case {n}" for n in range(count)
    ]


def test_the_questions_share_no_content_word_with_their_facts() -> None:
    for fact, question in QUESTIONS:
        assert not set(map(stem, query_terms(fact))) & set(map(stem, query_terms(question))), (fact, question)


async def test_facts_are_found_by_meaning_alone(tmp_path: Path) -> None:
    async with AgentMemory(config=local(tmp_path / "a.db")) as memory:
        await memory.long_term.add_many([fact for fact, _ in QUESTIONS])
        first = [(await memory.search(question, limit=1))[0].memory.content for _, question in QUESTIONS]
    right = sum(found == fact for found, (fact, _) in zip(first, QUESTIONS, strict=True))
    assert first[0] == "User prefers dark mode"
    assert right >= 24, [(q, f) for f, (a, q) in zip(first, QUESTIONS, strict=True) if f != a]


async def test_a_word_of_another_script_brings_its_fact_first(tmp_path: Path) -> None:
    async with AgentMemory(config=local(tmp_path / "a.db")) as memory:
        await memory.long_term.add_many([*english(200), *CHINESE, *KOREAN, *RUSSIAN])
        missed = []
        for facts, words in (
            (CHINESE, [fact[-2:] for fact in CHINESE]),
            (KOREAN, [max(fact.split(), key=len) for fact in KOREAN]),
            (RUSSIAN, [max(fact.split(), key=len) for fact in RUSSIAN]),
        ):
            for fact, word in zip(facts, words, strict=True):
                if sum(word.casefold() in other.casefold() for other in facts) > 1:
                    continue  # not a word of this fact alone
                found = await memory.search(word)
                if not found or found[0].memory.content != fact:
                    missed.append((word, fact, found and found[0].memory.content))
        assert missed == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("设备已经登记", "设备"),
        ("サンドボックスで試す", "試す"),
        ("データを保存する", "保存"),
        ("서울에서 만나요", "서울"),
    ],
)
async def test_words_of_two_characters_are_found(tmp_path: Path, text: str, word: str) -> None:
    async with AgentMemory(config=local(tmp_path / "a.db", embedding_provider="none")) as memory:
        stored = await memory.long_term.add(text)
        await memory.long_term.add_many(english(20))
        assert [scored.memory.id for scored in await memory.search(word)] == [stored]
        assert [scored.memory.id for scored in await memory.search(word, mode="keyword")] == [stored]


async def test_a_long_memory_is_found_by_a_sentence_from_its_end(tmp_path: Path) -> None:
    chance = random.Random(5)
    words = [
        "river",
        "stone",
        "window",
        "paper",
        "engine",
        "garden",
        "silver",
        "market",
        "bottle",
        "candle",
        "forest",
        "bridge",
        "harbour",
    ]
    body = " ".join(chance.choice(words) + ("." if n % 12 == 11 else "") for n in range(3000))
    end = " Finally the astronomers discovered a comet with two tails."
    async with AgentMemory(config=local(tmp_path / "a.db")) as memory:
        stored = await memory.semantic.add(body + end)
        await memory.semantic.add_many(
            [f"{line} near the {words[n % 11]}" for n, line in enumerate(english(60))]
        )
        for mode in ("hybrid", "keyword", "vector"):
            found = await memory.search("the astronomers discovered a comet with two tails", mode=mode)  # type: ignore[arg-type]
            assert found[0].memory.id == stored, mode


async def test_a_file_of_one_embedder_serves_under_any_other(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    async with AgentMemory(config=local(path)) as memory:
        stored = await memory.long_term.add("User prefers dark mode")
    async with AgentMemory(config=local(path, embedding_provider="none")) as memory:
        assert (await memory.search("dark"))[0].memory.id == stored
    async with AgentMemory(config=local(path, embedding_provider="dummy")) as memory:
        assert [record.id for record in await memory.list()] == [stored]
        assert (await memory.search("dark", mode="keyword"))[0].memory.id == stored
        later = await memory.long_term.add("User prefers large letters")
        assert (await memory.search("letters", mode="keyword"))[0].memory.id == later
        for mode in ("hybrid", "vector"):
            with pytest.raises(EmbeddingMismatchError, match="reembed"):
                await memory.search("dark", mode=mode)  # type: ignore[arg-type]
        assert (await memory.get_status())["owed_embeddings"] == 1
    async with AgentMemory(config=local(path)) as memory:
        assert (await memory.search("which theme?"))[0].memory.id == stored
        assert (await memory.get_status())["owed_embeddings"] == 0
        assert await memory.check() == []


async def test_reembedding_changes_the_embedder_for_everybody(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    async with AgentMemory(config=local(path)) as memory:
        stored = await memory.long_term.add("User prefers dark mode")
        await memory.reembed("dummy")
        assert (await memory.search("dark mode user"))[0].memory.id == stored
    async with AgentMemory(config=local(path, embedding_provider="local")) as memory:
        with pytest.raises(EmbeddingMismatchError):
            await memory.search("dark")
    async with AgentMemory(config=MemoryConfig(backend_config={"path": str(path)})) as memory:
        assert (await memory.get_status())["embedded_with"].startswith("dummy")
        assert (await memory.search("dark"))[0].memory.id == stored


async def test_what_is_still_owed_is_found_by_words_at_once(tmp_path: Path) -> None:
    from agent_memory.settings import Settings

    settings = Settings(backend_config={"path": str(tmp_path / "a.db")}, embed_on_write=False)
    async with AgentMemory(None, settings) as memory:
        stored = await memory.long_term.add("User prefers dark mode")
        assert (await memory.get_status())["owed_embeddings"] == 1
        assert (await memory.search("dark", mode="keyword"))[0].memory.id == stored
        assert (await memory.search("Which theme should the interface have?"))[0].memory.id == stored
        assert (await memory.get_status())["owed_embeddings"] == 0


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("the S3 client allows ten requests at once", "s3 concurrency"),
        ("the k8s probe gives up after five seconds", "k8s timeout"),
        ("v2 went out to all customers", "v2 deploy"),
        ("checkout is slow: p95 above two seconds", "p95 of cart"),
        ("the ec2 fleet was resized", "ec2 scaling"),
    ],
)
async def test_a_short_code_in_a_query_leaves_no_meaning_out(tmp_path: Path, text: str, query: str) -> None:
    async with AgentMemory("a", local(tmp_path / "a.db")) as memory:
        await memory.add_many([{"content": item} for item in (text, *english(40))])
        found = await memory.search(query, explain=True)
        assert found.retrievers == ("words", "meaning")
        assert found[0].memory.content == text
        assert "meaning" in (found[0].explanation or {})


@pytest.mark.parametrize("query", ["3f9a2bcd4e5f", "设备在哪里", "🎉🎉"])
async def test_it_is_explained_when_meaning_is_left_out(tmp_path: Path, query: str) -> None:
    async with AgentMemory("a", local(tmp_path / "a.db")) as memory:
        await memory.add_many([{"content": item} for item in (f"noted {query} today", *english(5))])
        found = await memory.search(query, explain=True)
        assert found.retrievers == ("words",)
        assert found[0].memory.content == f"noted {query} today"
        notes = (found[0].explanation or {})["notes"]
        assert "the embedder does not read this query: scored by words alone" in notes


async def test_a_code_is_found_by_its_beginning_and_shown_in_a_small_recall(tmp_path: Path) -> None:
    digest = "9fceb02d0ae598e95dc970b74767f19372d61af8"
    story = f"Nothing of note happened. The release was built from {digest}. " + "It was quiet again. " * 60
    async with AgentMemory("a", local(tmp_path / "a.db")) as memory:
        await memory.add_many([{"content": item} for item in (story, *english(40))])
        found = await memory.search(digest[:7])
        assert found[0].memory.content == story
        assert not found.nothing_relevant
        assert digest in (await memory.recall(digest[:7], budget=120)).text


async def test_of_many_codes_that_begin_alike_some_are_found_and_the_query_stays_small(
    tmp_path: Path,
) -> None:
    async with AgentMemory("a", MemoryConfig(backend_config={"path": str(tmp_path / "a.db")})) as memory:
        await memory.add_many([{"content": f"build a1b2c3d{number:04}"} for number in range(300)])
        found = await memory.search("a1b2c3d", limit=100, mode="keyword")
        assert len(found) == MOST_BEGUN
        assert len(found.terms) == 1 + MOST_BEGUN


ASIDES = [
    ("I adopted a grey cat from the shelter last week", "Which pet did I take home?"),
    ("my sister moved to Lisbon in the spring", "Where does a relative of mine live now?"),
    ("I sold my old bicycle for ninety euros", "How much did I get for what I used to ride?"),
    ("my flight to Oslo was cancelled on Monday", "Which journey of mine did not take place?"),
    ("I finished the marathon in under four hours", "How did I do in the long race?"),
    ("our landlord raised the rent again", "What became more expensive at home?"),
]
_REQUESTS = [
    "I am looking for recipes for a warm dinner that friends of mine would like, who eat neither meat nor fish.",
    "Could you explain how the stock market reacts when a central bank changes its rates out of the blue?",
    "Please compare three ways to learn the guitar for somebody who has half an hour a day, more at weekends.",
    "I need ideas for decorating a small office that has one window to the north and walls nobody may paint.",
    "What should I look at when I choose a laptop that I want to use for editing long films and for games?",
    "Can you recommend novels from the last ten years that play by the sea and are not about a crime or about a war?",
]


async def test_what_a_user_says_by_the_way_at_the_end_of_a_long_message_is_found(tmp_path: Path) -> None:
    config = MemoryConfig(backend_config={"path": str(tmp_path / "asides.db")})
    async with AgentMemory(config=config) as memory:
        more = "It need not be perfect, and I would rather have a short list with a reason for each than a long text."
        said = {}
        for number, (aside, _) in enumerate(ASIDES):
            for shift, request in enumerate(_REQUESTS):
                told = (
                    f" By the way, {aside}."
                    if shift == number
                    else " Thank you very much for your help with it."
                )
                content = f"{request} {more}{told}"
                made = await memory.conversation.add_message("user", content, session=f"s {number} {shift}")
                if shift == number:
                    said[aside] = made
        first = [
            (await memory.search(question, limit=1))[0].memory.id == said[aside] for aside, question in ASIDES
        ]
    assert sum(first) >= len(ASIDES) - 1


INSTRUCTIONS = [
    ("If I ask for a translation, keep the names of places as they are.", "say this in Portuguese for me"),
    ("Always mention the ferry timetable when I ask about weekend trips.", "where could we go on Saturday?"),
    ("Never quote paywalled articles when I ask for news.", "what happened in the world today?"),
    (
        "Whenever you recommend a podcast, tell me the length of an episode.",
        "something to listen to on the train",
    ),
    ("Include the vet's phone number when I ask about the cat's health.", "Minka is sneezing a lot"),
    ("Show the formula when I ask for a spreadsheet calculation.", "how do I sum a column in Excel?"),
    ("Use bullet points whenever I ask for pros and cons.", "list advantages and drawbacks of renting"),
    ("Always double-check time zones when I ask you to schedule calls.", "set up a meeting with Toronto"),
]
"""What a user told an agent once, and what it should come to mind for."""


async def test_an_instruction_is_found_by_what_it_applies_to(tmp_path: Path) -> None:
    config = MemoryConfig(backend_config={"path": str(tmp_path / "instructions.db")})
    async with AgentMemory(config=config) as memory:
        for fact, _ in QUESTIONS:
            await memory.conversation.add_message("user", fact, session="told")
        said = {
            instruction: await memory.conversation.add_message("user", instruction, session=f"s {number}")
            for number, (instruction, _) in enumerate(INSTRUCTIONS)
        }
        found = []
        for instruction, asked in INSTRUCTIONS:
            results = await memory.search(asked, limit=3)
            found.append(said[instruction] in [result.memory.id for result in results])
    assert sum(found) >= len(INSTRUCTIONS) - 1


IN_OTHER_WORDS = [
    ("The apprentice learns welding until 2028.", "what is our trainee called", "Somebody called yesterday."),
    (
        "My boss retires at the end of June.",
        "when does my superior stop working",
        "The printer is not working.",
    ),
    (
        "The boiler is serviced by Pettit and Sons.",
        "who looks after our heating",
        "The garden looks good in May.",
    ),
    ("Nightly copies are kept for 35 days.", "when do old backups get thrown away", "A ball was thrown far."),
    ("The greyhound was adopted from a track.", "where does our dog come from", "The parcels come at ten."),
    ("The user's day rate is 620 euros.", "how much do I normally charge", "Charge the drill overnight."),
    ("Younger brother Caspian repairs oil rigs.", "what is my sibling's job", "The nightly job is slow."),
    (
        "Visited Lisbon with Ines in April.",
        "which city did we see in spring",
        "The mattress has a broken spring.",
    ),
    ("Caramels with barley made the user ill.", "which candy did I react to", "The front end is in React."),
    (
        "The user is saving for a sewing machine.",
        "what is money put away for",
        "He put the paint on the door.",
    ),
]
"""What answers in other words, what is asked, and what has one of its words by chance."""


async def test_one_word_by_chance_does_not_stand_above_what_answers_in_other_words(tmp_path: Path) -> None:
    config = MemoryConfig(backend_config={"path": str(tmp_path / "words.db")})
    async with AgentMemory(config=config) as memory:
        told = await memory.long_term.add_many([fact for fact, _, _ in IN_OTHER_WORDS])
        await memory.long_term.add_many([chance for _, _, chance in IN_OTHER_WORDS])
        await memory.long_term.add_many(english(200))
        first = [
            (await memory.search(asked, limit=1))[0].memory.id == id
            for id, (_, asked, _) in zip(told, IN_OTHER_WORDS, strict=True)
        ]
    assert sum(first) >= len(IN_OTHER_WORDS) / 2

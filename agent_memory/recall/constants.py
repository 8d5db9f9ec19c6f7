"""Every weight and constant of search and recall, in one place, each with where it came from.

Elsewhere stand only: the defaults of the scorers that users build themselves (`ranking.importance`), as they are
arguments; what embedding takes at once (`recall.embedding`), as no result depends on it; and the boost of a skill
by its trigger (`memories.procedural`), which stands on top of a finished search.

The unit of the sum is one standard deviation of a score over the whole store. "Measured" means: on public
sets of conversations and abstracts (LoCoMo, LongMemEval, BEAM, SciFact, Cranfield), with the default embedder.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

WORDS_WEIGHT: Final = 0.3
MEANING_WEIGHT: Final = 0.7
"""Parts of the z-scored sum of BM25 and cosine. Measured: .3 is the safest weight of BM25 on all five sets; the
sum beats rank fusion on each (by .5 to 9.4 nDCG@10)."""

WORDS_WANTED: Final = 2.0
"""Words count in full where a memory has this many of the query's words, else with the square of the share of that.
In a small store a single word that one memory has lies many deviations above the average: "what is our trainee
called" found who called yesterday. See decision 34, as for the two below."""

HANDED_OVER: Final = 0.2
HANDED_OVER_FROM: Final = 2.5
"""Where words do not count, meaning counts so much more per deviation of a cosine beyond the second of these."""

CANDIDATES: Final = 50
"""How many candidates each retriever returns at least. Measured: with the best 50 of each, and exact scores for
their union, the order is that of the whole store."""

ENOUGH_CANDIDATES: Final = 120
"""Up to here each retriever returns twice as many as are asked for, so that what only one of them finds has room."""

MOST_TERMS: Final = 64
"""Words of a query that are looked for. A question has ten; this is for a page that was pasted as one."""

MOST_BEGUN: Final = 50
"""Words of the index that are looked for because a hash or an identifier in the query may be their beginning."""

SAMPLE: Final = 500
"""Vectors from which the mean and deviation of a query's cosines are taken. Measured: as good as all of them."""

BACKGROUND_MEAN: Final = 0.0341
BACKGROUND_DEVIATION: Final = 0.0710
"""What cosines of unrelated English texts look like to the default model: measured by `background_of` on the
sentences that other embedders are measured by. Between 600 questions and 800 notes that do not answer them, written
by somebody else, they are .024 and .073."""

PRIOR_WEIGHT: Final = 20
"""As how many sampled vectors the embedder's background distribution counts, so that a store of three memories has a
deviation to divide by. It differs between embedders: multilingual-e5-small has .77 and .02. Measured with that on 60
facts in six languages, among 31 memories each: 28 first with the constants of the default model, 39 with its own."""

SMALLEST_DEVIATION: Final = 0.02
"""Cosines of a store whose vectors are all alike still differ by rounding; less than this is no signal."""

RERANKED: Final = 50
"""How many of the best are ordered anew on request: the deepest place that `benchmarks/recall` looks at. Measured
with token vectors on LoCoMo: of 10 65.5 nDCG@10, of 20 66.1, of 30 and 50 66.2. With a cross-encoder not measured:
none was at hand."""

TOKENS_WEIGHT: Final = 0.5
"""Of how much better than the others of the best a memory's tokens match the query's, in deviations, added on request
(`rerank`). Measured on LoCoMo (755 questions): .3 +2.7 nDCG@10, .4 +3.3, .5 +4.2, .6 +4.4; at .5 without the message
before it +2.4, and with one mean over the words instead of each compared by itself +3.5."""

SHORT_TEXT: Final = 60
"""Tokens of a text, in the geometric mean of the best, up to which that weight is full. Above, it falls with the
square. Measured, on BEAM (143 questions, a geometric mean of 150), LongMemEval (14; 84) and Cranfield (80; 200): with
the full weight and a part of each long text -3.4, +.2 and -2.5; with the full weight and short texts only -.8, +.7
and -.3; with this +.4, -.1 and 0."""

LONGEST_READ: Final = 100
"""Tokens of a text whose tokens are compared; what is longer keeps its sum. Measured: 128 is .2 worse on BEAM."""

SMALLEST_TOKENS_WEIGHT: Final = 0.05
"""Less than this changes no order worth the time: abstracts, with 200 tokens in the mean, are not read at all."""

TOKENS_READ: Final = 2_000
"""What is read of all texts of one search, the best first. 50 turns of LoCoMo take 1,800 tokens, and .56 s of
processor time, shared by the cores there are."""

CHARACTERS_COUNTED: Final = 4_000
"""Of a text, to estimate how long it is."""

SMALLEST_SPREAD: Final = 0.1
"""Texts that match a word alike still differ a little; their cosines are taken to deviate by this at least, about
half as much as they do. From .02 to .12 it makes a difference of .05 on LoCoMo."""

EXACT_KEY: Final = 20.0
"""Added when the query is a memory's key: more than words and meaning together ever reach."""

IMPORTANCE_WEIGHT: Final = 0.4
"""Added per unit of importance above .5: from -.2 to .2."""

DECAY_WEIGHT: Final = 0.2
"""Taken away as decay goes from 1 to 0. With importance it can outweigh less than half a deviation, so neither
hides an exact match."""

REPLY_WEIGHT: Final = 0.6
"""Of what a person's question is worth, added to what another person says right after it. Measured on LoCoMo (755
questions): none 53.5 nDCG@10, .3 57.5, .5 61.1, .7 62.5, but 94.4 and 93.8 any@5 of sessions. Where the reply is an
assistant's it harms (BEAM 46.0 to 36.4), so those get none."""

REPLY_TO_ASSISTANT: Final = 0.15
"""The same where an assistant without a name asked: it asks at the end of everything it says. Measured on BEAM, with
the other rules: none 55.3 nDCG@10, .15 55.1, .5 53.6; LongMemEval sessions (29 questions) 94.2, 94.8, 95.3."""

SESSION_WEIGHT: Final = 0.25
"""Of what the best message of a conversation is worth, added to each of its messages. Measured, from .15 to .35:
within .2 on LoCoMo, BEAM and the sessions of LongMemEval, .4 better than .15 on its turns."""

ASSISTANT_COST: Final = 1.5
"""Taken from what an assistant without a name said: long, and with words of everything that was asked. Measured on
BEAM (195 questions), without the other rules: none 39.5 nDCG@10, .4 45.2, 1.0 51.9, 1.5 54.3, 2.0 55.3; LongMemEval
(26 questions) within .5 whatever it is."""

NAMED_SPEAKER: Final = 0.4
"""Added to a message of somebody whom the query names: "Where did Ana go?" is answered by Ana most often. Measured on
LoCoMo (755 questions): nDCG@10 +.2, evidence among the first 25 +1.2, sessions any@5 93.1 to 93.8. All kinds of
questions gain .2 to 1.8 but those that ask one person for what the other one said, which lose 2.7; from .2 to .8 it
is alike."""

AROUND_WITH_ASSISTANT: Final = ((1, 0.2),)
"""By distance, of what a message is worth, what is added to a message of a person that stands so far from it. An
assistant's reply tells what the user's message was about. Measured on BEAM (143 questions): .1 +.6 nDCG@10, .2 +1.2,
.3 +1.6; LoCoMo +.4, +.6, +.5."""

AROUND_WEIGHTS: Final = ((-2, 0.15), (-1, 0.1), (1, 0.2))
"""The same where only people talk. Measured on LoCoMo (755 questions), with the reply and the two below: none of the
two before it +2.5 nDCG@10, .1 of the first +2.8, .1 of the second +3.2, .2 +3.4."""

BREVITY_WEIGHT: Final = 0.8
SHORT_MESSAGE: Final = 250
"""Taken, among people, for each e-fold by which a message has fewer characters: "Wow, great!" holds no fact. Measured
on LoCoMo: .4 +1.5 nDCG@10, .8 +2.0, 1.2 +2.2; 150 characters +1.4, 300 +2.1. What users tell an assistant is no small
talk: BEAM would lose 1.8 to 5.5."""

QUESTION_COST: Final = 0.3
"""Taken, among people, from a message that ends with a question. Measured on LoCoMo, with the others: .2 +.5 nDCG@10,
.4 +.4. With all of them 61.8 becomes 66.0."""

DATE_WEIGHT: Final = 0.5
"""Added to what happened at a time that the query names. Measured on LoCoMo: 96 of 755 questions name one, and gain
.24 over all; .2 gains .1, 1.0 as much as .5 and costs LongMemEval's sessions."""

DATE_SLACK: Final = timedelta(days=1)
"""People tell of a day on the day after it; better by .02 to .04 than none."""

OPENING_WEIGHT: Final = 0.3
"""How much the first segment of a long memory counts, against the one nearest to the query: the more there are, the
nearer is one by chance. Measured on BEAM, with the other rules: 0 50.9 nDCG@10, .3 52.3, 1 53.5; Cranfield:
0 43.3, .3 43.8, 1 43.5. The more it is, the less is found of what stands at the end of a long text."""

CHANCE: Final = 0.2
"""Of what chance alone gives the nearest of many segments, the part that is taken off before it counts by itself.
Measured: neutral on BEAM and Cranfield, within .2, from here to 1.5; it keeps a sentence at the end findable."""

SENTENCE_COST: Final = 1.0
"""Taken off what a sentence of a long message is worth by itself (`text.own_vectors`), in deviations: it may have
words of the query and be about something else. Measured on 36 questions of LongMemEval and on BEAM, with sentences
embedded as they were needed: without them 73.6 and 55.3 nDCG@10, 0 80.2 and 54.3, .5 79.9 and 54.6, 1 79.2 and 55.2.
Stored with the messages, 1 gives 79.4 and 55.2."""

OCCASION_WORTH: Final = 0.5
"""Added to what a standing instruction applies to, in deviations: a few words are less like a long question than a
whole is. Measured on BEAM (195 questions): without these vectors 55.2 nDCG@10, 0 57.0, .5 57.8; of 24 instructions
written for it and asked about in other words, 14 and 17 are found first."""

READABLE: Final = 0.5
"""Below this share of understood text, cosines mean nothing: unrelated Chinese, Korean or Russian facts have a
cosine of .45, .78 and .51 to the default model, English ones .05."""

SCORE_MIDDLE: Final = 2.0
SCORE_SCALE: Final = 1.0
"""The logistic that turns the sum into `score`: a memory two deviations above the store's average scores .5."""

PENDING_SEGMENTS: Final = 64
PENDING_SECONDS: Final = 0.3
"""What one search embeds of what others left pending, before it answers: segments that a model reads at once."""

RENEWED_WORDS: Final = 200
"""Memories whose words one search indexes anew, after it has answered, where an older analyser indexed them."""

ROOM_WEIGHT: Final = 0.7
"""Taken, in a recall, for each e-fold of the room that a memory takes. Share of the evidence in 1,000 tokens, by a
model of the packing: LoCoMo 85.5 at .3, 85.9 at .5, .7 and 86.2 at .9; BEAM 61.8, 62.6, 63.4, 63.5. A logistic model
of which memory is evidence, fitted to three conversations and asked about the fourth, gives .7 as well. Taking off
for what resembles what is in the text already gained .2 on LoCoMo and lost .5 on BEAM: not done."""

NAMED_SPEAKER_PACKED: Final = 0.4
"""Added in a recall, beside `NAMED_SPEAKER`, to a message of somebody whom the query names: of an order is asked that
the best is first, of a recall that all is there. Share of LoCoMo's evidence in 300, 500, 1,000 and 2,000 tokens, as
above: 74.8, 81.0, 86.2, 89.9 without, 75.0, 81.5, 86.4, 90.1 at .4, 75.1, 81.5, 86.7, 90.1 at .8."""

BESIDE_WEIGHT: Final = 0.05
"""Of what each neighbour in the same conversation or document is worth, added in a recall where both were found; less
than before the ranking itself knew what stands around a message. Share of the evidence in 1,000 tokens, as above:
LoCoMo 85.9 at .1, 86.3 at .05; BEAM 63.4 and 63.4."""

RELEVANCE_BY_MEANING: Final = 1.065
"""Slope of the logistic of `relevance` by meaning, per deviation of a cosine above chance. Fitted, as the four below,
to 220 questions with and 180 without an answer, put to stores of 6, 30, 300 and 3,000 notes, and to LoCoMo's and
BEAM's own questions and those of their other agents, each store weighing the same; half of the 220 share no word with
what answers them."""

MEANING_BY_CHANCE: Final = 1.8
"""Taken off per sqrt(2 ln N) deviations, where the nearest of N unrelated vectors lies: so a store of 3,000 asks for
more than one of 6. It is 1.7 times as many deviations as normal values reach: cosines of real texts reach further."""

RELEVANCE_BY_WORDS: Final = 12.0
"""Slope of the logistic of the share of a query's words that a memory holds."""

LIKELY_SHARE: Final = 0.35
WORDS_BY_CHANCE: Final = 0.06
"""The share with which a memory is as likely as not to answer: so much, and so much more per sqrt(2 ln N)."""

NOTHING_RELEVANT: Final = 0.5
"""Where no memory is as relevant as this, nothing seems to answer."""

UNCERTAIN: Final = 0.15
"""Where the best is at least as relevant as this, it is said softly that nothing seems to answer."""

TOO_FEW: Final = 2
"""Among so few nothing is said at all: whoever has stored two memories sees for himself."""

RECALL_FLOOR: Final = 0.1
"""What is less relevant stays out of a recall, unless another floor is asked for. Of what is wanted and among the
first ten, in recalls that show anything, it keeps 99.7 % on LoCoMo and all on BEAM; .2 keeps 98 % on LoCoMo."""

RECALL_SPREAD: Final = 3.0
"""What is neither a message nor a fact stays out as well where the odds that it answers are e to this power (20
times) worse than those of the best one, unless it answers as likely as not: one that answers so much better is most
often the only one. Messages are judged with their conversation: there it would cost a fifth of the evidence (LoCoMo).
Documents answer together: without "as likely as not" Cranfield would show 46 instead of 62 % of its evidence."""

RECALL_FACTS_SPREAD: Final = 2.5
"""The same for facts, with 12 times worse odds, however likely they answer: a fact says one thing, and mostly one
fact is asked for. Measured on 220 questions to stores of 6, 30 and 344 notes, each answered by one: of 522 right ones
that are shown, 3 and 2.5 lose none and 2 loses one; what is shown is the right one and no more for 369 with the rule
of above, 391 with 3, 412 with 2.5. Of 227 right ones of a set that it was not chosen by none is lost, and 175 become
189."""

RECALL_CERTAIN: Final = 6.0
"""The logit of a relevance (odds of 400) above which more is no more certain, as where the query is a key."""

RELATED: Final = 0.05
"""From here on an event has to do with an earlier one of its kind; it need not answer it."""

SOON: Final = timedelta(hours=6)
"""An event of its kind that went well so soon after a failure is taken for its end, whatever it says."""

SAME_TEXT: Final = 0.97
"""A cosine from which on a memory says what the query says, whatever chance gives."""

ECHO_COST: Final = 20.0
"""Taken from what merely repeats the query: more than words and meaning together ever reach, so that it stands behind
everything else."""

ECHO_WORDS: Final = 0.6
"""The share of the words of two questions, stop words left out, that is in both where they ask the same."""

ECHO_LENGTH: Final = 3
"""How many times as long as the query the same question may be: a cheap test before words are compared."""

SMALLEST_LEAD: Final = 0.001
"""By how much what answers stays ahead of a message that its conversation would lift to the same place."""

SMALL_STORE: Final = 100
"""Memories that a store is taken to have at least when words are weighed: of three, a word in two is not common."""

LONGEST_KEY: Final = 200
"""Characters of a query that may be a memory's key; keys are shorter."""

# --- packing -------------------------------------------------------------------------------------------------------

SMALLEST_BUDGET: Final = 32
"""Tokens below which not even one line of a memory and its frame fit, whatever the format."""

LARGEST_SHARE: Final = 0.5
"""No memory takes more than this share of the budget in the first pass, so that one long document does not crowd
out everything else."""

WHOLE_SHARE: Final = 0.1
"""In what is left of the budget below this share, what fits whole goes before the beginnings of what does not."""

LINE_TOKENS: Final = 24
"""Tokens of the shortest form of a memory, its first line."""

MOST_CANDIDATES: Final = 100
"""Memories that a recall considers at most, however large its budget. Measured, share of LoCoMo's evidence in 1,000
and 2,000 tokens: of 60 86.8 and 90.3, of 110 87.2 and 91.4. The more candidates, the longer each search."""

TOKENS_PER_CANDIDATE: Final = 12
"""A very short memory with its frame: the budget divided by it is how many are worth looking at."""

MOST_FILLS: Final = 3
"""How often what stayed free of the budget is given out: on LoCoMo 15 tokens of 1,000 stayed free the first time."""

BRIEF_EACH: Final = 20
"""Memories of each kind that the brief considers."""

STANDING_EACH: Final = 20
"""Memories of each kind that the standing context considers: 15 % of 2,000 tokens hold ten."""

HEARD_BY: Final = 50
"""Messages before and behind an instruction among which an assistant speaks, if it takes part."""

STANDING_LONG: Final = 200
"""Characters from which a message in the standing context may have to be shortened, to the instruction in it."""

STANDING_PREFERENCES: Final = 40
"""Preferences that it considers: of each category one is taken."""

MOST_FAILURES: Final = 3
"""Failed events among the results that bring along what they call for."""

MOST_LATER: Final = 50
"""Events of the same kind after a failure among which the next success is looked for."""

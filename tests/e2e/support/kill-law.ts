/**
 * What must be true of a supervision whose browser was killed, told by others than the
 * supervisor: where the kill was, what the server did with each POST by then, which
 * tests the server says had failed, and how many reruns the person allowed.
 *
 * No figure here is compared with itself. A POST that the server refused is one too
 * many as well, although nothing came of it.
 */
import type { Seen } from './sandbox.js';

/** Where in the life of a rerun the browser is killed. */
export const BOUNDARIES = [
  'while the tests are read, before the intent is written',
  'around the write of the intent',
  'after the intent is written, before the POST leaves',
  'after the POST has arrived, which the server never applies',
  'after the POST has arrived, which the server applies after the kill',
  'after the POST is applied, before its answer',
  'after the answer',
] as const;

export type Boundary = (typeof BOUNDARIES)[number];

interface Implied {
  /** POSTs that may be at the server when the browser is dead. */
  atKill: readonly number[];
  /** An intent is in the journal then; `undefined`: there may be one. */
  intent?: boolean;
  /** POSTs when all is over: one, and one more for each that the server dropped. */
  inTheEnd: number;
}

const IMPLIED: Record<Boundary, Implied> = {
  'while the tests are read, before the intent is written': { atKill: [0], intent: false, inTheEnd: 1 },
  'around the write of the intent': { atKill: [0, 1], inTheEnd: 1 },
  'after the intent is written, before the POST leaves': { atKill: [0], intent: true, inTheEnd: 1 },
  'after the POST has arrived, which the server never applies': { atKill: [1], intent: true, inTheEnd: 2 },
  'after the POST has arrived, which the server applies after the kill': { atKill: [1], intent: true, inTheEnd: 1 },
  'after the POST is applied, before its answer': { atKill: [1], intent: true, inTheEnd: 1 },
  'after the answer': { atKill: [1], intent: true, inTheEnd: 1 },
};

/** How many POSTs a kill at this boundary implies in the end. */
export function implied(boundary: Boundary): number {
  return IMPLIED[boundary].inTheEnd;
}

/** A record of the journal, as it is stored. */
export interface Line {
  seq: number;
  event: string | Record<string, unknown>;
}

/** What is known of one supervision. */
export interface Facts {
  boundary: Boundary;
  /** When the browser was dead, and nobody had taken the supervision up again. */
  atKill: { posts: number; journal: Line[] };
  /** When it had its verdict, and the browser had been started once more after that. */
  inTheEnd: { posts: Pick<Seen, 'status' | 'body'>[]; applied: number; journal: Line[] };
  /** The tests that failed in the first run, as the server says. */
  failing: string[];
  /** Reruns that the person allowed. */
  budget: number;
}

/** The events of a kind, with what they carry. */
function events(journal: readonly Line[], kind: string): unknown[] {
  return journal.flatMap(({ event }) => (typeof event === 'object' && kind in event ? [event[kind]] : []));
}

/** `Applied`, `NotApplied`, …: how the reruns ended, in order, with the intents among them. */
function steps(journal: readonly Line[]): string[] {
  return journal.flatMap(({ event }) => {
    if (typeof event !== 'object') return [];
    if ('Intent' in event) return ['Intent'];
    const note = event['Rerun'];
    if (typeof note !== 'object' || note === null || !('Ended' in note)) return [];
    const { Ended: ended } = note as { Ended: string | object };
    return [typeof ended === 'string' ? ended : (Object.keys(ended)[0] ?? '')];
  });
}

const sorted = (ids: readonly string[]): string => [...ids].sort().join(' ');

/** Everything that is not as it must be, in words; nothing if all is well. */
export function wrongs(facts: Facts): string[] {
  const { boundary, atKill, inTheEnd, failing, budget } = facts;
  const law = IMPLIED[boundary];
  const wrong: string[] = [];
  const must = (holds: boolean, words: string): void => {
    if (!holds) wrong.push(`killed ${boundary}: ${words}`);
  };

  // When the browser was dead.
  const intents = events(atKill.journal, 'Intent').length;
  must(law.atKill.includes(atKill.posts), `${atKill.posts} POSTs had reached the server, not ${law.atKill.join(' or ')}`);
  must(atKill.posts === 0 || intents > 0, 'a POST had left, and no intent was in the journal');
  if (law.intent !== undefined) must(law.intent === intents > 0, `${intents} intents were in the journal`);
  must(intents <= 1, `${intents} intents were in the journal`);

  // At the server, in the end.
  must(inTheEnd.posts.length === law.inTheEnd, `${inTheEnd.posts.length} POSTs reached the server, where the kill implies ${law.inTheEnd}`);
  must(inTheEnd.applied === 1, `${inTheEnd.applied} reruns were applied, where 1 makes every test pass`);
  must(inTheEnd.applied <= budget, `${inTheEnd.applied} reruns were applied, and ${budget} allowed`);
  for (const { body } of inTheEnd.posts) {
    const ids = body?.jobIDs ?? [];
    must(sorted(ids) === sorted(failing), `a POST named ${ids.length} tests, not the ${failing.length} that failed`);
    must(body?.rerunMetricsOnly !== true, 'a POST asked for metrics only');
  }

  // In the journal, in the end.
  const { journal } = inTheEnd;
  must(journal.every(({ seq }, n) => seq === n), 'the journal has a gap');
  const kept = atKill.journal.every((line, n) => JSON.stringify(line) === JSON.stringify(journal[n]));
  must(kept, 'what was in the journal when the browser died is not in it any more');
  const told = steps(journal);
  must(told.at(-1) === 'Applied', `the last rerun ended as ${told.at(-1) ?? 'nothing'}`);
  must(told.filter((it) => it === 'Applied').length === inTheEnd.applied, `the journal counts other reruns than the server: ${told.join(', ')}`);
  must(
    told.every((it, n) => it !== 'Intent' || n === 0 || told[n - 1] !== 'Intent'),
    `an intent was written before the one before it was resolved: ${told.join(', ')}`,
  );
  const sendings = events(journal, 'Rerun').filter((note) => typeof note === 'object' && note !== null && 'Sending' in note);
  must(inTheEnd.posts.length <= sendings.length, `${inTheEnd.posts.length} POSTs, and ${sendings.length} sendings in the journal`);
  for (const intent of events(journal, 'Intent') as { attempt: number }[]) {
    must(intent.attempt >= 1 && intent.attempt <= budget, `attempt ${intent.attempt} of ${budget}`);
  }
  const verdicts = events(journal, 'Ended') as { attempts: number; max_attempts: number }[];
  must(verdicts.length === 1, `${verdicts.length} verdicts`);
  for (const verdict of verdicts) {
    must(verdict.attempts === inTheEnd.applied, `the verdict counts ${verdict.attempts} reruns, the server ${inTheEnd.applied}`);
    must(verdict.max_attempts === budget, `the verdict was given on a budget of ${verdict.max_attempts}, not ${budget}`);
  }
  return wrong;
}

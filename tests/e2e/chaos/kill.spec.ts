/** The browser is killed (scenario 20); `cargo xtask kills` does it more often. */
import { BOUNDARIES, wrongs, type Facts, type Line } from '../support/kill-law.js';
import { expectUnharmed, killAgainAndAgain } from '../support/killed.js';
import { expect, test } from '../support/retake.js';

test('20 the browser is killed once at every boundary of a rerun: nothing lost, nothing doubled', async ({ sandbox, baseURL }) => {
  test.setTimeout(300_000);
  const kills = BOUNDARIES.length;
  expectUnharmed(await killAgainAndAgain(sandbox, baseURL ?? '', kills), kills);
});

test('a POST too many is seen, whatever the server makes of it and although the verdict is the same', async ({ sandbox, baseURL }) => {
  test.setTimeout(240_000);
  const statuses: number[] = [];
  // The same rerun once more, as a supervisor that forgot would send it.
  const tally = await killAgainAndAgain(sandbox, baseURL ?? '', 1, BOUNDARIES.indexOf('after the answer'), async (batch, failing) => {
    statuses.push(await sandbox.postRerun(batch, failing));
  });
  // Refused while the first one runs, else applied.
  expect([409, 200]).toContain(statuses[0]);
  expect(tally.wrong.join('\n')).toContain('2 POSTs reached the server, where the kill implies 1');
});

const applied = { Rerun: { Ended: { Applied: { run: 2 } } } };
const intent = { Intent: { attempt: 1 } };
const sending = { Rerun: { Sending: { post: 1 } } };
const verdict = { Ended: { attempts: 1, max_attempts: 1 } };
const numbered = (events: Line['event'][]): Line[] => events.map((event, seq) => ({ seq, event }));
const post = { status: 200, body: { jobIDs: ['b', 'a'] } };

/** A supervision as it should be, killed after the answer. */
const SOUND: Facts = {
  boundary: 'after the answer',
  atKill: { posts: 1, journal: numbered([{ Started: {} }, intent, sending]) },
  inTheEnd: { posts: [post], applied: 1, journal: numbered([{ Started: {} }, intent, sending, applied, verdict]) },
  failing: ['a', 'b'],
  budget: 1,
};

test('the law by which kills are judged finds whatever is doubled or lost', () => {
  expect(wrongs(SOUND)).toEqual([]);
  const end = (change: Partial<Facts['inTheEnd']>): Facts => ({ ...SOUND, inTheEnd: { ...SOUND.inTheEnd, ...change } });
  const kill = (change: Partial<Facts['atKill']>): Facts => ({ ...SOUND, atKill: { ...SOUND.atKill, ...change } });
  const written = (...events: Line['event'][]): Facts => end({ journal: numbered([{ Started: {} }, ...events]) });
  const cases: [string, Facts, string][] = [
    ['refused by the server', end({ posts: [post, { ...post, status: 409 }] }), '2 POSTs reached the server'],
    ['applied twice', end({ posts: [post, post], applied: 2 }), '2 reruns were applied'],
    ['lost', end({ posts: [], applied: 0 }), '0 POSTs reached the server'],
    ['never repeated', { ...SOUND, boundary: 'after the POST has arrived, which the server never applies' }, 'where the kill implies 2'],
    ['an empty list', end({ posts: [{ ...post, body: { jobIDs: [] } }] }), 'named 0 tests'],
    ['other tests', end({ posts: [{ ...post, body: { jobIDs: ['a', 'c'] } }] }), 'not the 2 that failed'],
    ['a test twice', end({ posts: [{ ...post, body: { jobIDs: ['a', 'a'] } }] }), 'not the 2 that failed'],
    ['metrics', end({ posts: [{ ...post, body: { ...post.body, rerunMetricsOnly: true } }] }), 'metrics only'],
    ['sent before it was stored', kill({ journal: numbered([{ Started: {} }]) }), 'no intent was in the journal'],
    ['sent too early', kill({ posts: 2 }), '2 POSTs had reached the server'],
    ['a record lost', end({ journal: SOUND.inTheEnd.journal.slice(1) }), 'has a gap'],
    ['a record changed', kill({ journal: numbered([{ Started: { by: 'me' } }, intent, sending]) }), 'not in it any more'],
    ['unresolved', written(intent, sending, intent, sending, applied, verdict), 'before the one before it was resolved'],
    ['not known to the journal', written(intent, sending, { Rerun: { Ended: 'NotApplied' } }, verdict), 'counts other reruns than the server'],
    ['beyond the budget', written({ Intent: { attempt: 2 } }, sending, applied, verdict), 'attempt 2 of 1'],
    ['no verdict', written(intent, sending, applied), '0 verdicts'],
    ['two verdicts', written(intent, sending, applied, verdict, verdict), '2 verdicts'],
    ['a false count', written(intent, sending, applied, { Ended: { attempts: 0, max_attempts: 1 } }), 'the verdict counts 0 reruns'],
    ['unsent in the journal', written(intent, applied, verdict), '0 sendings in the journal'],
  ];
  for (const [what, facts, words] of cases) expect(wrongs(facts).join('\n'), what).toContain(words);
});

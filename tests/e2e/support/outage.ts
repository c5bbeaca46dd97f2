/** An outage that a supervision rides out while its batch ends (scenario 17, `cargo xtask outage`). */
import { expectEnd, expectWatching, finishRuns, FLAKY_RUNNING } from './chaos.js';
import { expect, type Retake } from './retake.js';
import type { Sandbox, Seen } from './sandbox.js';

/** The least that it takes to see that looks fail, and to end the batch meanwhile. */
const SHORTEST_S = 20;
/** What comes within this time of the outage's end is its burst. */
const BURST_MS = 10_000;

export interface Outage {
  /** How long nothing can be reached. */
  seconds: number;
  pollEvery: string;
  begin: () => Promise<unknown>;
  end: () => Promise<unknown>;
}

/** What the sandbox saw once it could be reached again. */
export interface Ridden {
  /** From the end of the outage to the first look. */
  firstLookMs: number;
  /** Reads of the batch in the ten seconds from the first look on. */
  burst: number;
}

/** Rides an outage out: the batch ends in it, one rerun follows, and there is a verdict. */
export async function rideOut(retake: Retake, sandbox: Sandbox, outage: Outage): Promise<Ridden> {
  const { page } = retake;
  if (outage.seconds < SHORTEST_S) throw new Error(`an outage takes at least ${SHORTEST_S} s here`);
  const batch = await sandbox.batch(FLAKY_RUNNING);
  const looks = (): Promise<Seen[]> => sandbox.requests(batch.batchID, 'GET');
  await retake.openBatch(batch);
  // No time runs out, however long the outage is.
  await retake.supervise({ 'poll-every': outage.pollEvery, 'wait-timeout': '24h' });
  await expectWatching(retake);
  const ends = Date.now() + outage.seconds * 1_000;
  await outage.begin();
  // Something asks for a look while nothing can be reached.
  await page.waitForTimeout(6_000);
  await page.evaluate(() => window.dispatchEvent(new Event('focus')));
  await expect(page.locator('.supervise')).toContainText(/failed in a row; trying again/);
  await sandbox.act(batch, 'finish');
  await page.waitForTimeout(Math.max(ends - Date.now(), 0));
  const before = (await looks()).length;
  const back = Date.now();
  await outage.end();
  await expect.poll(async () => (await looks()).length, { timeout: 90_000 }).toBeGreaterThan(before);
  const first = (await looks())[before]?.at_ms ?? Infinity;
  await finishRuns(sandbox, batch);
  await expectEnd(retake, sandbox, batch, {
    posts: 1,
    verdict: [0, 'pass-after-rerun'],
    says: [/no answer from the API|this computer is offline/, /reads work again after \d+ failures?/],
    timeout: 90_000,
  });
  const burst = (await looks()).slice(before).filter((it) => it.at_ms < first + BURST_MS).length;
  return { firstLookMs: first - back, burst };
}

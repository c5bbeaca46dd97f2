/**
 * Whether a tab grows that supervises fifty batches: `cargo xtask soak`.
 *
 * In real time they are looked at as often as the tab's own limit allows, two reads a second, so
 * that 24 minutes have as many looks as one batch makes in a day at poll-every 30 s. For another
 * tab time is quickened, so that 24 minutes are four hours of all fifty.
 */
import type { Page } from '@playwright/test';

import { held, type Held } from '../bench/memory.mjs';
import { pathOf } from '../support/chaos.js';
import { note } from '../support/figures.js';
import { BY_PROVIDER, BY_TOKEN, superviseMany, type SignIn } from '../support/many.js';
import { quicken } from '../support/quick-time.js';
import { expect, test, type Batch, type Retake } from '../support/retake.js';
import type { Sandbox } from '../support/sandbox.js';

/** How long each tab is measured, in real minutes. */
const MINUTES = Number(process.env['RETAKE_MINUTES'] ?? 24);
/** What a tab needs to come to rest; not measured. */
const WARM_UP_S = 180;
const BATCHES = 50;
/** As many looks as one batch makes in 24 h at poll-every 30 s. */
const ASKED_LOOKS = 2_880;
/**
 * By so much time is quickened. The network and the processor are as they are: a busy machine does
 * not answer within half a second, which is all that the limit of a request has left at 60 times.
 */
const TIMES = 10;
const ASKED_HOURS = 24;
const LIMIT_MB = 5;
/** It is looked at so often besides its begin and its end. */
const BETWEEN = 3;
/** The sandbox remembers 20,000 requests: many more than come within this time. */
const COUNTED_EVERY_MS = 60_000;

const sleep = (ms: number): Promise<void> => new Promise((over) => setTimeout(over, Math.max(ms, 0)));
const megabytes = (bytes: number): number => bytes / 1_000_000;
const signed = (number: number, digits = 0): string => `${number < 0 ? '' : '+'}${number.toFixed(digits)}`;

/** Counts the looks that reach the server. */
class Looks {
  count = 0;
  #last = -1;

  constructor(
    private readonly sandbox: Sandbox,
    private readonly batches: readonly Batch[],
  ) {}

  /** Counts what has come since; gives how many. */
  async take(): Promise<number> {
    const seen = await this.sandbox.requests('/v1/projects/', 'GET');
    const news = seen.filter((it) => it.number > this.#last);
    this.#last = news.at(-1)?.number ?? this.#last;
    const looks = news.filter((it) => this.batches.some(({ batchID }) => it.path.endsWith(`/batches/${batchID}`)));
    this.count += looks.length;
    return looks.length;
  }
}

/** Readings at each point: what is under way at one of them has listeners and nodes of its own. */
const READINGS = 5;

/** What the page holds when it rests: the least of a few readings. */
async function heldAtRest(page: Page): Promise<Held> {
  const least = await held(page);
  for (let n = 1; n < READINGS; n += 1) {
    await sleep(700);
    const again = await held(page);
    for (const of of Object.keys(least) as (keyof Held)[]) least[of] = Math.min(least[of], again[of]);
  }
  return least;
}

interface Soak {
  what: string;
  page: Page;
  sandbox: Sandbox;
  batches: readonly Batch[];
  /** How many times as fast time goes by. */
  times: number;
  /** Looks that are due in a second of its time. */
  perSecond: number;
}

/** Lets a tab supervise for a while, and notes by how much it has grown. */
async function soak({ what, page, sandbox, batches, times, perSecond }: Soak): Promise<void> {
  await sleep((WARM_UP_S * 1_000) / Math.min(times, 3));
  const looks = new Looks(sandbox, batches);
  await looks.take();
  looks.count = 0;
  const holdings: Held[] = [await heldAtRest(page)];
  const from = Date.now();
  for (let part = 1; part <= BETWEEN + 1; part += 1) {
    const until = from + (part / (BETWEEN + 1)) * MINUTES * 60_000;
    const before = looks.count;
    while (Date.now() < until) {
      await sleep(Math.min(COUNTED_EVERY_MS, until - Date.now()));
      await looks.take();
    }
    holdings.push(await heldAtRest(page));
    // A tab that does nothing does not grow; a slow machine looks less often than is due.
    const due = ((MINUTES * 60) / (BETWEEN + 1)) * times * perSecond;
    expect(looks.count - before, 'looks that reached the server').toBeGreaterThan(due / 2);
    console.log(JSON.stringify({ what, part, looks: looks.count, ...holdings.at(-1) }));
  }
  const [first, last] = [holdings[0], holdings.at(-1)];
  if (!first || !last) throw new Error('nothing was measured');
  const grown = (of: keyof Held): number => last[of] - first[of];
  const heap = megabytes(grown('jsHeap') + grown('wasm'));
  const hours = (MINUTES * times) / 60;
  const day = `as many as one batch makes in ${((looks.count / ASKED_LOOKS) * 24).toFixed(0)} h at poll-every 30 s`;
  note({
    id: '#20',
    what,
    goal: `heap growth at most ${LIMIT_MB} MB, 0 listeners`,
    measured:
      `${signed(heap, 2)} MB in ${looks.count} looks${times > 1 ? ` of ${hours.toFixed(1)} h` : `, ${day}, in ${MINUTES} min`}: ` +
      `JavaScript ${signed(megabytes(grown('jsHeap')), 2)} from ${megabytes(first.jsHeap).toFixed(2)}, ` +
      `WebAssembly ${signed(megabytes(grown('wasm')), 2)} from ${megabytes(first.wasm).toFixed(2)}; ` +
      `listeners ${signed(grown('listeners'))} from ${first.listeners}, DOM nodes ${signed(grown('nodes'))} from ${first.nodes}`,
    holds: heap <= LIMIT_MB && grown('listeners') <= 0,
    volumes:
      times > 1
        ? [{ done: Math.floor(hours), asked: ASKED_HOURS, unit: 'hours' }]
        : [{ done: looks.count, asked: ASKED_LOOKS, unit: 'looks' }],
  });
}

test.beforeEach(() => {
  test.setTimeout(MINUTES * 60_000 + WARM_UP_S * 1_000 + 600_000);
});

/** By itself each would be looked at more often than the tab's limit lets it. */
const OFTEN = { 'poll-every': '10s', 'wait-timeout': '240h' };

test('the list of supervisions', async ({ retake, sandbox, page }) => {
  const batches = await superviseMany(retake, sandbox, BATCHES, OFTEN);
  await soak({ what: `a tab that supervises ${BATCHES} batches and lists them, 2 reads a second`, page, sandbox, batches, times: 1, perSecond: 2 });
});

test('the page of a supervised batch', async ({ retake, sandbox, page }) => {
  const batches = await superviseMany(retake, sandbox, BATCHES, OFTEN);
  await showFirst(retake, batches, BY_PROVIDER);
  await soak({ what: `the same, one batch shown with its log`, page, sandbox, batches, times: 1, perSecond: 2 });
});

test('hours of all of them', async ({ retake, sandbox, page, context }) => {
  await quicken(context, TIMES);
  // The provider's clock is not quickened.
  const batches = await superviseMany(retake, sandbox, BATCHES, { ...OFTEN, 'poll-every': '1m' }, BY_TOKEN);
  await showFirst(retake, batches, BY_TOKEN);
  await soak({
    what: `the same for hours, poll-every 1 min, all clocks and timers ${TIMES} times as fast`,
    page, sandbox, batches, times: TIMES, perSecond: BATCHES / 60,
  });
});

/** Shows the page of the first batch, its decision log with it. */
async function showFirst(retake: Retake, batches: readonly Batch[], signIn: SignIn): Promise<void> {
  const [first] = batches;
  if (!first) throw new Error('no batch is supervised');
  await signIn.again(retake, pathOf(first));
  await expect(retake.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');
}

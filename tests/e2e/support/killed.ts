/**
 * Supervisions in a browser whose process is killed (SIGKILL) again and again
 * on the same profile. No handler runs, nothing is flushed by the browser; what
 * it has handed to the operating system stays, so this is the end of a process,
 * not of the power.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { chromium, type Browser, type Page } from '@playwright/test';

import { FLAKY, miscounted, pathOf, QUICK } from './chaos.js';
import { BOUNDARIES, implied, wrongs, type Boundary, type Facts, type Line } from './kill-law.js';
import { expect, Retake, type Batch } from './retake.js';
import type { Sandbox } from './sandbox.js';

/** Reruns that each supervision here is allowed. */
const BUDGET = 1;

interface Running {
  browser: Browser;
  page: Page;
  kill: () => Promise<void>;
}

async function start(profile: string): Promise<Running> {
  const portFile = join(profile, 'DevToolsActivePort');
  await rm(portFile, { force: true });
  const program = process.env['RETAKE_CHROMIUM'] ?? chromium.executablePath();
  const child = spawn(
    program,
    [
      '--headless=new', '--no-sandbox', '--no-first-run', '--disable-quic', '--disable-sync',
      '--disable-background-networking', '--disable-component-update', '--hide-crash-restore-bubble',
      '--remote-debugging-port=0', `--user-data-dir=${profile}`, '--window-size=1440,900', 'about:blank',
    ],
    { stdio: 'ignore', detached: true },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${program} does not start`);
  let port = '';
  await expect
    .poll(async () => (port = (await readFile(portFile, 'utf8').catch(() => '')).split('\n')[0] ?? ''), {
      timeout: 30_000,
      intervals: [50],
    })
    .not.toBe('');
  const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
  const context = browser.contexts()[0];
  if (!context) throw new Error('the browser has no context');
  const page = context.pages()[0] ?? (await context.newPage());
  await page.setViewportSize({ width: 1440, height: 900 });
  const kill = async (): Promise<void> => {
    // The browser process first; what is left of its group follows.
    process.kill(pid, 'SIGKILL');
    await ended;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // Nobody is left.
    }
    await browser.close().catch(() => undefined);
  };
  return { browser, page, kill };
}

/** Brings a new supervision to the boundary and kills the browser there. */
async function killAt(boundary: Boundary, running: Running, sandbox: Sandbox, batch: Batch): Promise<void> {
  const { page, kill } = running;
  const retake = new Retake(page);
  const post = { method: 'POST', path_contains: `${batch.batchID}/rerun` };
  const arrived = async (status: number | null): Promise<void> => {
    await expect
      .poll(async () => (await sandbox.reruns(batch)).some((it) => it.status === status), { intervals: [15], timeout: 30_000 })
      .toBe(true);
  };
  const supervise = async (): Promise<void> => retake.supervise({ ...QUICK, 'max-rerun-attempts': String(BUDGET) });
  switch (boundary) {
    case 'while the tests are read, before the intent is written':
      await sandbox.fault({ method: 'GET', path_contains: `${batch.batchID}/jobs`, fault: 'latency_ms', ms: 4_000, times: 1 });
      await supervise();
      await expect(retake.hook('decision-log')).toContainText('finished: ERROR', { timeout: 30_000 });
      return kill();
    case 'around the write of the intent':
      await supervise();
      await expect(retake.hook('decision-log')).toContainText('tests listed', { timeout: 30_000 });
      // The confirming read, the decision, the write and the POST follow within this time.
      await page.waitForTimeout(Math.random() * 300);
      return kill();
    case 'after the intent is written, before the POST leaves': {
      const held = new Promise<void>((resolve) => {
        void page.route(`**/${batch.batchID}/rerun`, () => resolve());
      });
      await supervise();
      await held;
      return kill();
    }
    case 'after the POST has arrived, which the server never applies':
      await sandbox.fault({ ...post, fault: 'silence' });
      await supervise();
      await arrived(null);
      return kill();
    case 'after the POST has arrived, which the server applies after the kill':
      await sandbox.fault({ ...post, fault: 'late_apply_ms', ms: 4_000 });
      await supervise();
      await arrived(0);
      return kill();
    case 'after the POST is applied, before its answer':
      await sandbox.fault({ ...post, fault: 'silence_after_apply' });
      await supervise();
      await arrived(null);
      return kill();
    case 'after the answer':
      await supervise();
      await arrived(200);
      return kill();
  }
}

/**
 * Every journal of the browser, by the batch that it is of. Fails if something that is
 * stored cannot be read.
 */
async function journals(page: Page): Promise<Map<string, Line[]>> {
  const stored = await page.evaluate(async () => {
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      const asked = indexedDB.open('retake');
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(asked.error ?? new Error('no database'));
    });
    const all = async <T>(store: string, what: 'getAll' | 'getAllKeys'): Promise<T[]> =>
      new Promise((resolve, reject) => {
        if (!database.objectStoreNames.contains(store)) return resolve([]);
        const asked = database.transaction(store).objectStore(store)[what]();
        asked.onsuccess = () => resolve(asked.result as T[]);
        asked.onerror = () => reject(asked.error ?? new Error('unreadable'));
      });
    const keys = (await all<IDBValidKey>('journal', 'getAllKeys')).map(String);
    const lines = (await all<unknown>('journal', 'getAll')).map(String);
    const writers = (await all<unknown>('writers', 'getAll')).map(String);
    database.close();
    return { keys, lines, writers };
  });
  const read = (text: string, where: string): unknown => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      throw new Error(`${where} cannot be read: ${text.slice(0, 80)}`);
    }
  };
  for (const writer of stored.writers) read(writer, 'a writer of a journal');
  const supervisions = new Map<string, Line[]>();
  // The places are padded, so that the keys stand in the order of the records.
  stored.keys.forEach((key, n) => {
    // `s-…/place`; other journals are of reruns by hand.
    const [id = ''] = key.split('/');
    if (!id.startsWith('s-')) return;
    const line = read(stored.lines[n] ?? '', `line ${key}`) as Line;
    const lines = supervisions.get(id);
    // The first says whose it is, the others are its records.
    if (lines) lines.push(line);
    else supervisions.set(id, []);
  });
  const byBatch = new Map<string, Line[]>();
  for (const lines of supervisions.values()) {
    const [first] = lines;
    const started = typeof first?.event === 'object' ? (first.event['Started'] as { batch: { Id?: string } } | undefined) : undefined;
    const batch = started?.batch.Id ?? '';
    if (byBatch.has(batch)) throw new Error(`two journals of batch ${batch || 'nobody'}`);
    byBatch.set(batch, lines);
  }
  return byBatch;
}

/** Starts the browser on a profile and opens the list of supervisions, not signed in yet. */
async function open(profile: string, baseURL: string): Promise<Running> {
  const running = await start(profile);
  // Its sign-in page: from another one a browser that was signed in might sign in by itself.
  await running.page.goto(`${baseURL}/sign-in?to=/supervisions`);
  await expect(new Retake(running.page).hook('sign-in-oidc')).toBeVisible({ timeout: 30_000 });
  return running;
}

/** Signs in; whatever was started is here again. */
async function signIn({ page }: Running, expected: number): Promise<void> {
  const retake = new Retake(page);
  await retake.hook('sign-in-oidc').click();
  await expect(page.getByRole('heading', { level: 1, name: 'Supervisions' })).toBeVisible({ timeout: 30_000 });
  await expect(retake.hook('supervision-row')).toHaveCount(expected, { timeout: 30_000 });
}

/** What a series of kills came to. */
export interface Tally {
  kills: number;
  started: number;
  found: number;
  ended: number;
  applied: number;
  posts: number;
  /** POSTs that the boundaries imply. */
  implied: number;
  perBoundary: Record<string, number>;
  /** What is not as it must be (`kill-law.ts`). */
  wrong: string[];
}

/** Asserts that nothing was lost and nothing doubled; another attempt does not forgive it. */
export function expectUnharmed(tally: Tally, kills: number): void {
  tally.wrong.forEach(miscounted);
  expect(tally.wrong).toEqual([]);
  expect(tally).toMatchObject({ kills, started: kills, found: kills, ended: kills, applied: kills, posts: tally.implied });
}

interface Killed {
  batch: Batch;
  boundary: Boundary;
  failing: string[];
  atKill?: Facts['atKill'];
}

/**
 * Starts one supervision per kill, on one profile, kills at the boundaries in
 * turn, and in the end lets all of them come to their verdicts.
 *
 * `meddle` is called after each kill: with it a test shows that a POST too many is seen.
 */
export async function killAgainAndAgain(
  sandbox: Sandbox,
  baseURL: string,
  kills: number,
  firstBoundary = 0,
  meddle?: (batch: Batch, failing: string[]) => Promise<void>,
): Promise<Tally> {
  const profile = await mkdtemp(join(tmpdir(), 'retake-kills-'));
  const killed: Killed[] = [];
  const tally: Tally = { kills: 0, started: 0, found: 0, ended: 0, applied: 0, posts: 0, implied: 0, perBoundary: {}, wrong: [] };
  let running: Running | undefined;
  try {
    for (let n = 0; n <= kills; n += 1) {
      running = await open(profile, baseURL);
      // Before anybody acts again: what the kill has left.
      const last = killed.at(-1);
      if (last) {
        const journal = (await journals(running.page)).get(last.batch.batchID) ?? [];
        last.atKill = { posts: (await sandbox.reruns(last.batch)).length, journal };
      }
      await signIn(running, killed.length);
      if (n === kills) break;
      const { page } = running;
      const retake = new Retake(page);
      const batch = await sandbox.batch(FLAKY, `kill-${n}-${Date.now()}`);
      const failing = await sandbox.failing(batch);
      // Within the page, as a person would: a load would take the session.
      await page.evaluate((path) => {
        history.pushState(null, '', path);
        dispatchEvent(new PopStateEvent('popstate'));
      }, pathOf(batch));
      await expect(retake.hook('row-count')).toHaveText('12 of 12 tests', { timeout: 30_000 });
      const boundary = BOUNDARIES[(firstBoundary + n) % BOUNDARIES.length] ?? BOUNDARIES[0];
      await killAt(boundary, running, sandbox, batch);
      running = undefined;
      await meddle?.(batch, failing);
      killed.push({ batch, boundary, failing });
      tally.kills += 1;
      tally.perBoundary[boundary] = (tally.perBoundary[boundary] ?? 0) + 1;
    }
    if (!running) throw new Error('no browser after the last kill');
    tally.started = killed.length;
    await expectVerdicts(running.page, killed.length);
    // Once more: what has its verdict is not taken up again.
    await running.kill();
    running = await open(profile, baseURL);
    await signIn(running, killed.length);
    await expectVerdicts(running.page, killed.length);
    const retake = new Retake(running.page);
    const written = await journals(running.page);
    for (const { batch, boundary, failing, atKill } of killed) {
      const row = retake.hook('supervision-row').filter({ hasText: batch.name });
      tally.found += await row.count();
      await expect(row.getByTestId('verdict')).toHaveAttribute('data-exit-code', '0');
      tally.ended += 1;
      if (!atKill) throw new Error('nobody looked after the kill');
      const posts = await sandbox.reruns(batch);
      const applied = (await sandbox.state(batch)).runCounter - 1;
      tally.posts += posts.length;
      tally.implied += implied(boundary);
      tally.applied += applied;
      const journal = written.get(batch.batchID) ?? [];
      tally.wrong.push(...wrongs({ boundary, atKill, inTheEnd: { posts, applied, journal }, failing, budget: BUDGET }));
    }
    if (written.size !== killed.length) tally.wrong.push(`${written.size} journals of ${killed.length} supervisions`);
    return tally;
  } finally {
    await running?.kill();
    await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

async function expectVerdicts(page: Page, count: number): Promise<void> {
  // The last kill may have left a rerun that may still land for 100 s.
  await expect(page.locator('[data-testid=verdict][data-outcome=pass-after-rerun]')).toHaveCount(count, { timeout: 180_000 });
}

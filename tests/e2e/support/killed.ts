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

import { chromium, type APIRequestContext, type Browser, type Page } from '@playwright/test';

import { expectServer, FLAKY, pathOf, QUICK } from './chaos.js';
import { expect, Retake, type Batch } from './retake.js';
import { Sandbox } from './sandbox.js';

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

type Boundary = (typeof BOUNDARIES)[number];

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
  const supervise = async (): Promise<void> => retake.supervise(QUICK);
  switch (boundary) {
    case 'while the tests are read, before the intent is written':
      await sandbox.fault({ method: 'GET', path_contains: `${batch.batchID}/jobs`, fault: 'latency_ms', ms: 4_000, times: 1 });
      await supervise();
      await expect(retake.hook('decision-log')).toContainText('finished: ERROR', { timeout: 30_000 });
      await kill();
      expect(await sandbox.reruns(batch), boundary).toHaveLength(0);
      return;
    case 'around the write of the intent':
      await supervise();
      await expect(retake.hook('decision-log')).toContainText('tests listed', { timeout: 30_000 });
      // The confirming read, the decision, the write and the POST follow within this time.
      await page.waitForTimeout(Math.random() * 300);
      await kill();
      return;
    case 'after the intent is written, before the POST leaves': {
      const held = new Promise<void>((resolve) => {
        void page.route(`**/${batch.batchID}/rerun`, () => resolve());
      });
      await supervise();
      await held;
      await kill();
      expect(await sandbox.reruns(batch), boundary).toHaveLength(0);
      return;
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

/** Everything that is stored can be read: text that is JSON, without a gap. */
async function expectReadableJournal(page: Page): Promise<void> {
  const unreadable = await page.evaluate(async () => {
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      const asked = indexedDB.open('retake');
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(asked.error ?? new Error('no database'));
    });
    const bad: string[] = [];
    for (const name of database.objectStoreNames) {
      const values = await new Promise<unknown[]>((resolve, reject) => {
        const asked = database.transaction(name).objectStore(name).getAll();
        asked.onsuccess = () => resolve(asked.result);
        asked.onerror = () => reject(asked.error ?? new Error('unreadable'));
      });
      for (const value of values) {
        try {
          if (typeof value === 'string') JSON.parse(value);
        } catch {
          bad.push(`${name}: ${String(value).slice(0, 80)}`);
        }
      }
    }
    database.close();
    return bad;
  });
  expect(unreadable, 'lines of the journal that cannot be read').toEqual([]);
}

/** What a series of kills came to. */
export interface Tally {
  kills: number;
  started: number;
  found: number;
  ended: number;
  applied: number;
  posts: number;
  perBoundary: Record<string, number>;
}

/**
 * Starts one supervision per kill, on one profile, kills at the boundaries in
 * turn, and in the end lets all of them come to their verdicts.
 */
export async function killAgainAndAgain(
  request: APIRequestContext,
  baseURL: string,
  kills: number,
  firstBoundary = 0,
): Promise<Tally> {
  const sandbox = new Sandbox(request);
  const profile = await mkdtemp(join(tmpdir(), 'retake-kills-'));
  const batches: Batch[] = [];
  const tally: Tally = { kills: 0, started: 0, found: 0, ended: 0, applied: 0, posts: 0, perBoundary: {} };
  let running: Running | undefined;
  try {
    for (let n = 0; n <= kills; n += 1) {
      running = await start(profile);
      const { page } = running;
      const retake = new Retake(page);
      await page.goto(`${baseURL}/supervisions`);
      await retake.hook('sign-in-oidc').click();
      await expect(page.getByRole('heading', { level: 1, name: 'Supervisions' })).toBeVisible({ timeout: 30_000 });
      // Nothing is lost: whatever was started is here again.
      await expect(retake.hook('supervision-row')).toHaveCount(batches.length, { timeout: 30_000 });
      if (n === kills) break;
      const batch = await sandbox.batch(FLAKY, `kill-${n}-${Date.now()}`);
      // Within the page, as a person would: a load would take the session.
      await page.evaluate((path) => {
        history.pushState(null, '', path);
        dispatchEvent(new PopStateEvent('popstate'));
      }, pathOf(batch));
      await expect(retake.hook('row-count')).toHaveText('12 of 12 tests', { timeout: 30_000 });
      const boundary = BOUNDARIES[(firstBoundary + n) % BOUNDARIES.length] ?? BOUNDARIES[0];
      await killAt(boundary, running, sandbox, batch);
      running = undefined;
      batches.push(batch);
      tally.kills += 1;
      tally.perBoundary[boundary] = (tally.perBoundary[boundary] ?? 0) + 1;
    }
    if (!running) throw new Error('no browser after the last kill');
    const retake = new Retake(running.page);
    await expectReadableJournal(running.page);
    tally.started = batches.length;
    tally.found = await retake.hook('supervision-row').count();
    await expect(running.page.locator('[data-testid=verdict][data-outcome=pass-after-rerun]')).toHaveCount(batches.length, {
      timeout: 120_000,
    });
    for (const batch of batches) {
      const row = retake.hook('supervision-row').filter({ hasText: batch.name });
      await expect(row.getByTestId('verdict')).toHaveAttribute('data-exit-code', '0');
      tally.ended += 1;
      const posts = (await sandbox.reruns(batch)).length;
      tally.posts += posts;
      // A POST that the server never applied is followed by a second one.
      await expectServer(sandbox, batch, { posts, applied: 1 });
      tally.applied += (await sandbox.state(batch)).runCounter - 1;
    }
    return tally;
  } finally {
    await running?.kill();
    await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

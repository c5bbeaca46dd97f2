/** What the chaos scenarios share: recipes, configurations, and the three things that each asserts. */
import type { Page } from '@playwright/test';

import { MISCOUNTED } from './ledger.js';
import { expect, test, type Batch, type Retake } from './retake.js';
import type { Recipe, Sandbox, Seen } from './sandbox.js';

/** Looks as often as the sandbox's configuration allows. */
export const QUICK = { 'poll-every': '1s' };

/** Two of twelve tests fail once and pass when they are run again. */
export const FLAKY: Recipe = {
  tests: 12,
  duration_ms: [300, 700],
  outcomes: { flaky: [{ count: 2, fails_runs: 1, as: 'error' }] },
};

/** The same, and its first run is under way until [`finishRuns`] ends it, however slow the machine is. */
export const FLAKY_RUNNING: Recipe = { ...FLAKY, start: 'running', hang: true };

/**
 * Ends a new batch's first run and, once the server has applied them, the reruns after it.
 *
 * Counted from the first run and not from the present one: the supervisor may
 * have sent its rerun before this is called.
 */
export async function finishRuns(sandbox: Sandbox, batch: Batch, reruns = 1): Promise<void> {
  await sandbox.act(batch, 'finish');
  for (let run = 2; run <= 1 + reruns; run += 1) {
    await expect
      .poll(async () => (await sandbox.state(batch)).runCounter, { timeout: 90_000 })
      .toBe(run);
    await sandbox.act(batch, 'finish');
  }
}

/** Signs in by the provider, on the page of a batch whose tests are listed. */
export async function signInTo(retake: Retake, batch: Batch): Promise<void> {
  await retake.signInByProvider(pathOf(batch));
  await expect(retake.hook('row-count')).toHaveText(/ of [\d,]+ tests?$/);
}

export interface Expected {
  /** Rerun POSTs that reached the server, whatever it made of them. */
  posts: number;
  /** Reruns that the server applied; as many as `posts` unless said. */
  applied?: number;
  /** Exit code and outcome; `null`: it ends without a verdict, and waits for the person. */
  verdict: [number, string] | null;
  /** What stands in the decision log or the verdict. */
  says: (string | RegExp)[];
  timeout?: number;
}

/** Asserts what every scenario has to: the verdict, the sentences, the server's count. */
export async function expectEnd(
  retake: Retake,
  sandbox: Sandbox,
  batch: Batch,
  expected: Expected,
): Promise<void> {
  if (expected.verdict) await retake.verdict(expected.timeout).toBe(...expected.verdict);
  const panel = retake.page.locator('.supervise');
  for (const words of expected.says) await expect(panel).toContainText(words);
  // Last, so that a POST that was sent too much has had its time.
  await expectServer(sandbox, batch, expected);
}

/** Asserts how many reruns reached the server, and how many it applied. */
export async function expectServer(
  sandbox: Sandbox,
  batch: Batch,
  { posts, applied = posts }: Pick<Expected, 'posts' | 'applied'>,
): Promise<void> {
  const sent = await expectPosts(sandbox, batch, posts);
  for (const post of sent) {
    expect(post.body?.jobIDs?.length, 'a supervisor never sends an empty list').toBeGreaterThan(0);
  }
  const found = (await sandbox.state(batch)).runCounter - 1;
  if (found !== applied) miscounted(`${found} reruns applied, not ${applied}`);
  expect(found, 'reruns that the server applied').toBe(applied);
}

/** Asserts how many rerun POSTs have reached the server; gives them. */
export async function expectPosts(sandbox: Sandbox, batch: Batch, posts: number): Promise<Seen[]> {
  const sent = await sandbox.reruns(batch);
  if (sent.length !== posts) miscounted(`${sent.length} POSTs at the server, not ${posts}`);
  expect(
    sent.map((it) => it.status),
    'rerun POSTs at the server',
  ).toHaveLength(posts);
  return sent;
}

/** Notes that a count was wrong, so that no other attempt can hide it. */
export function miscounted(what: string): void {
  test.info().annotations.push({ type: MISCOUNTED, description: what });
}

interface Environment {
  name: string;
  api: string;
  [field: string]: unknown;
}

/** Changes the first environment of `config.json` for a page or a whole context. */
export async function configure(
  target: Pick<Page, 'route'>,
  change: Record<string, unknown>,
): Promise<void> {
  await target.route('**/config.json', async (route) => {
    const answer = await route.fetch();
    const config = (await answer.json()) as { environments: Environment[] };
    const [first, ...others] = config.environments;
    await route.fulfill({ json: { environments: [{ ...first, ...change }, ...others] } });
  });
}

/** The API under another origin than the page, as in production: CORS decides what can be read. */
export async function acrossOrigins(page: Page, baseURL: string | undefined): Promise<void> {
  const api = new URL('/v1/', baseURL);
  api.hostname = api.hostname === 'localhost' ? '127.0.0.1' : 'localhost';
  await configure(page, { api: api.href, settle_window: '6s' });
}

/** The path of a batch's page. */
export function pathOf(batch: Batch): string {
  return `/projects/${batch.projectID}/batches/${batch.batchID}`;
}

/** A token that looks like one of an account; the sandbox does not verify signatures. */
export function tokenOf(subject: string): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { iss: 'https://issuer.example/', sub: subject, email: `${subject}@example.com` };
  return `${part({ alg: 'none' })}.${part(claims)}.${part('x')}`;
}

/** Waits until the supervision has seen the batch run. */
export async function expectWatching(retake: Retake): Promise<void> {
  await expect(retake.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');
}

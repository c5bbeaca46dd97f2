/**
 * The folder that `cargo xtask dist` makes, served by the hosts' own tools: whether they
 * read `_headers` and `_redirects` as they are meant, and whether the app runs there.
 * `cargo xtask previews` starts them.
 */
import { request as newRequest } from '@playwright/test';

import { shippedHeaders } from '../support/headers.js';
import { expect, test } from '../support/retake.js';
import { Sandbox } from '../support/sandbox.js';

interface Host {
  name: string;
  url: string;
  /**
   * Whether its tool sends the `Cache-Control` of `_headers`, and not that file itself, as
   * the host does. Netlify's does neither.
   */
  caches: boolean;
  /** Whether it relays `/v1/`. */
  relays: boolean;
}

const HOSTS = JSON.parse(process.env['RETAKE_HOSTS'] ?? '[]') as Host[];
const API = process.env['RETAKE_API'] ?? '';

for (const { name, url, caches, relays } of HOSTS) {
  test.describe(name, () => {
    test('every route is the page, a missing file is missing, each with its headers', async ({ request }) => {
      const page = await (await request.get(url)).text();
      const boot = /boot-[0-9a-f]{16}\.js/.exec(page)?.[0] ?? '';
      for (const [path, status, caching] of [
        ['', 200, 'no-store'],
        ['projects', 200, 'no-store'],
        ['projects/x/batches/y?status=ERROR', 200, 'no-store'],
        ['projects/a.b/batches/c.js', 200, 'no-store'],
        ['supervisions', 200, 'no-store'],
        ['sign-in', 200, 'no-store'],
        ['callback?code=x&state=y', 200, 'no-store'],
        [boot, 200, 'public, max-age=31536000, immutable'],
        ['keeper.js', 200, 'no-cache'],
        ['config.json', 200, 'no-cache'],
        ['boot-0123456789abcdef.js', 404, 'no-store'],
        ...(caches ? ([['_headers', 404, 'no-store'], ['_redirects', 404, 'no-store']] as const) : []),
      ] as const) {
        const answer = await request.get(url + path);
        expect(answer.status(), path).toBe(status);
        for (const [header, value] of shippedHeaders('/', API)) {
          const all = answer.headersArray().filter((it) => it.name.toLowerCase() === header);
          expect(all.map((it) => it.value), `${header} of ${path}`).toEqual([value]);
        }
        if (caches) expect(answer.headers()['cache-control'], path).toBe(caching);
        const isPage = status === 200 && caching === 'no-store';
        if (isPage) expect(await answer.text(), path).toBe(page);
        else expect(answer.url(), path).toBe(url + path);
      }
    });

    test('a story: sign in at a deep link, rerun what failed, reload', async ({ page, retake }) => {
      const context = await newRequest.newContext({ baseURL: API });
      const sandbox = new Sandbox(context);
      const batch = await sandbox.batch({
        tests: 12,
        duration_ms: [300, 600],
        outcomes: { flaky: [{ count: 2, fails_runs: 1 }] },
      });
      const path = `projects/${batch.projectID}/batches/${batch.batchID}?status=ERROR`;
      await page.goto(url + path);
      await page.getByRole('radio', { name: relays ? /^Relay/ : /^Direct/ }).check();
      await retake.hook('sign-in-token').fill('test-token');
      await retake.hook('sign-in-token-submit').click();
      await expect(page).toHaveURL(url + path);
      await expect(retake.rows).toHaveCount(2);
      await retake.supervise({ 'poll-every': '1s' });
      await retake.verdict().toBe(0, 'pass-after-rerun');
      expect(await sandbox.reruns(batch)).toHaveLength(1);
      await page.reload();
      // A pasted token is forgotten by a reload; the way back is not.
      await expect(retake.hook('sign-in-token')).toBeVisible();
      await context.dispose();
    });
  });
}

test('hosts are known', () => {
  expect(HOSTS.length, 'cargo xtask previews names them').toBeGreaterThanOrEqual(2);
});

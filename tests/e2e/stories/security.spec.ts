/** What the page lets nobody do to it, and what it says when it cannot start. */
import type { Page, Route } from '@playwright/test';

import { expect, test } from '../support/retake.js';

/** Answers a request with the site's own answer, changed. */
async function changed(
  route: Route,
  change: (headers: Record<string, string>, body: string) => { headers: Record<string, string>; body: string },
): Promise<void> {
  const answer = await route.fetch();
  const { headers, body } = change(answer.headers(), await answer.text());
  await route.fulfill({ status: answer.status(), headers, body });
}

function boot(page: Page) {
  return page.locator('.boot');
}

test.describe('the page guards itself', () => {
  // What the browser says as it refuses what these tests try.
  test.use({
    provoked:
      /^This document requires 'TrustedScript'|^Creating a TrustedTypePolicy named 'mine'|^Failed to find a valid digest|SRI's integrity checks failed|^Framing .* violates|^Violation of the content security policy: (require-trusted-types-for|trusted-types|frame-ancestors) /,
  });

  test('foreign markup becomes no element, even if script asks for it', async ({ retake, page }) => {
    await retake.signIn('/');
    const outcomes = await page.evaluate(() => {
      const attempt = (act: () => unknown): string => {
        try {
          act();
          return 'done';
        } catch (error) {
          return error instanceof TypeError ? 'refused' : String(error);
        }
      };
      const div = document.createElement('div');
      return {
        markup: attempt(() => (div.innerHTML = '<img src=x onerror="document.title=1">')),
        almost: attempt(() => (div.innerHTML = '<h1>Projects</h1 >')),
        parsed: attempt(() => new DOMParser().parseFromString('<p>x</p>', 'text/html')),
        adjacent: attempt(() => div.insertAdjacentHTML('beforeend', '<b>x</b>')),
        worker: attempt(() => new Worker('/favicon.svg')),
        foreignWorker: attempt(() => new Worker('https://evil.example/x.js')),
        script: attempt(() => (document.createElement('script').src = '/x.js')),
        text: attempt(() => (document.createElement('script').text = 'document.title=1')),
        policy: attempt(() =>
          (window as unknown as { trustedTypes: { createPolicy: (n: string, r: object) => void } }).trustedTypes.createPolicy('mine', {}),
        ),
        ours: attempt(() => (div.innerHTML = '<h1>Projects</h1>')),
      };
    });
    expect(outcomes).toEqual({
      markup: 'refused',
      almost: 'refused',
      parsed: 'refused',
      adjacent: 'refused',
      worker: 'refused',
      foreignWorker: 'refused',
      script: 'refused',
      text: 'refused',
      policy: 'refused',
      ours: 'done',
    });
  });

  test('nothing is fetched twice, nothing moves, nothing is complained about', async ({ page }) => {
    const words: string[] = [];
    page.on('console', (message) => words.push(message.text()));
    await page.addInitScript(() => {
      const moved = { sum: 0 };
      (window as unknown as { moved: typeof moved }).moved = moved;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) moved.sum += (entry as unknown as { value: number }).value;
      }).observe({ type: 'layout-shift', buffered: true });
    });
    await page.goto('/sign-in');
    await expect(page.getByTestId('sign-in-token')).toBeVisible();
    // A preload that nobody used is complained about a few seconds later.
    await page.waitForTimeout(6_000);
    const files = await page.evaluate(() =>
      performance.getEntriesByType('resource').map((entry) => new URL(entry.name).pathname),
    );
    const big = files.filter((name) => /\.(wasm|js)$/.test(name));
    expect(big.sort()).toEqual([...new Set(big)].sort());
    expect(big).toHaveLength(3);
    expect(await page.evaluate(() => (window as unknown as { moved: { sum: number } }).moved.sum)).toBeLessThan(0.02);
    expect(words).toEqual([]);
  });

  test('a file that was changed on its way does not run', async ({ page }) => {
    await page.route(/retake-[0-9a-f]+\.js$/, (route) =>
      changed(route, (headers, body) => ({ headers, body: `${body}\ndocument.title = 'owned';` })),
    );
    await page.goto('/');
    await expect(boot(page)).toContainText('arrived changed or was not allowed to run');
    await expect(page).toHaveTitle('Retake');
  });

  test('nor does a program that was changed on its way, however valid', async ({ page }) => {
    await page.route(/_bg\.wasm$/, async (route) => {
      const answer = await route.fetch();
      // A custom section more: still a valid module.
      const body = Buffer.concat([await answer.body(), Buffer.from([0, 4, 3, 97, 98, 99])]);
      const { 'content-encoding': _, 'content-length': __, ...headers } = answer.headers();
      await route.fulfill({ status: answer.status(), headers, body });
    });
    await page.goto('/');
    await expect(boot(page)).toContainText('arrived changed or was not allowed to run');
  });

  test('it does not run inside another page, even where the headers were lost', async ({ page, baseURL }) => {
    await page.route(`${baseURL}/sign-in?framed`, (route) =>
      changed(route, (headers, body) => {
        delete headers['content-security-policy'];
        delete headers['x-frame-options'];
        return { headers, body };
      }),
    );
    await page.route(`${baseURL}/outer`, (route) =>
      route.fulfill({ contentType: 'text/html', body: `<iframe src="/sign-in?framed" width=900 height=600></iframe>` }),
    );
    await page.goto('/outer');
    const inner = page.frameLocator('iframe');
    await expect(inner.locator('.boot')).toContainText('does not run inside another page');
    await expect(inner.getByTestId('sign-in-token')).toHaveCount(0);
  });

  test('with its headers no browser shows it inside another page', async ({ page, baseURL }) => {
    const refused: string[] = [];
    page.on('console', (message) => refused.push(message.text()));
    await page.route(`${baseURL}/outer`, (route) =>
      route.fulfill({ contentType: 'text/html', body: `<iframe src="/sign-in"></iframe>` }),
    );
    await page.goto('/outer');
    await expect.poll(() => page.frames()[1]?.url() ?? '').toContain('chrome-error');
    await expect(page.frameLocator('iframe').getByTestId('sign-in-token')).toHaveCount(0);
  });
});

test.describe('what cannot start says why', () => {
  test.use({ provoked: /^Failed to find a valid digest|SRI's integrity checks failed/ });

  test('a missing part', async ({ page }) => {
    await page.route(/_bg\.wasm$/, (route) => route.fulfill({ status: 404, body: 'not here' }));
    await page.goto('/');
    await expect(boot(page)).toContainText('A part of Retake is missing');
  });

  test('a fallback rule that catches too much', async ({ page }) => {
    await page.route(/retake-[0-9a-f]+\.js$/, (route) =>
      route.fulfill({ status: 200, contentType: 'text/html', body: '<!doctype html>' }),
    );
    await page.goto('/');
    await expect(boot(page)).toContainText('Its fallback rule catches too much');
  });

  test('a server in trouble', async ({ page }) => {
    await page.route(/_bg\.wasm$/, (route) => route.fulfill({ status: 503, body: '' }));
    await page.goto('/');
    await expect(boot(page)).toContainText('answers 503');
  });

  test('a filter in the way', async ({ page }) => {
    await page.route(/_bg\.wasm$/, (route) => route.abort('blockedbyclient'));
    await page.goto('/');
    await expect(boot(page)).toContainText('was blocked on its way');
  });

  test('a browser without WebAssembly', async ({ page }) => {
    await page.addInitScript(() => {
      delete (globalThis as { WebAssembly?: unknown }).WebAssembly;
    });
    await page.goto('/');
    await expect(boot(page)).toContainText('does not run WebAssembly');
  });

  test('no script at all', async ({ browser, baseURL }) => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(`${baseURL}/`);
    await expect(page.locator('noscript p')).toBeVisible();
    await expect(page.getByText('Still nothing?')).toBeVisible({ timeout: 20_000 });
    await context.close();
  });
});

test.describe('a server without the right to WebAssembly', () => {
  // The refusal is thrown on, for whoever looks into the console.
  test.use({ calm: undefined });

  test('is told which word is missing', async ({ page }) => {
    await page.route('**/sign-in', (route) =>
      changed(route, (headers, body) => ({
        headers: {
          ...headers,
          'content-security-policy': (headers['content-security-policy'] ?? '').replace(" 'wasm-unsafe-eval'", ''),
        },
        body,
      })),
    );
    await page.goto('/sign-in');
    await expect(boot(page)).toContainText("needs 'wasm-unsafe-eval'");
  });
});

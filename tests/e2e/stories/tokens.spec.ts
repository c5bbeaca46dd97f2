/** Where tokens are, and where they are not. */
import type { BrowserContext, Page } from '@playwright/test';

import { configure } from '../support/chaos.js';
import { expect, test } from '../support/retake.js';

/** Everything that a browser keeps for the site, as one text. */
async function kept(page: Page, context: BrowserContext): Promise<string> {
  const inside = await page.evaluate(async () => {
    const databases = await Promise.all(
      (await indexedDB.databases()).map(
        ({ name = '' }) =>
          new Promise<unknown>((done, failed) => {
            const opening = indexedDB.open(name);
            opening.onerror = () => failed(opening.error);
            opening.onsuccess = async () => {
              const database = opening.result;
              const all: unknown[] = [];
              for (const store of database.objectStoreNames) {
                const read = (what: 'getAll' | 'getAllKeys') =>
                  new Promise((got) => {
                    const asked = database.transaction(store).objectStore(store)[what]();
                    asked.onsuccess = () => got(asked.result);
                  });
                all.push(store, await read('getAll'), await read('getAllKeys'));
              }
              database.close();
              done(all);
            };
          }),
      ),
    );
    const cached = await Promise.all(
      (await caches.keys()).map(async (name) => {
        const cache = await caches.open(name);
        const requests = await cache.keys();
        return Promise.all(requests.map(async (it) => [it.url, await (await cache.match(it))?.text()]));
      }),
    );
    // What script could read from the page by name.
    const globals = Object.keys(window)
      .map((name) => {
        const value = (window as unknown as Record<string, unknown>)[name];
        return typeof value === 'string' ? value : '';
      })
      .join('\n');
    return {
      text: JSON.stringify([
        { ...localStorage },
        { ...sessionStorage },
        databases,
        cached,
        document.cookie,
        location.href,
        document.referrer,
        history.state,
        performance.getEntries().map((entry) => entry.name),
        window.name,
        globals,
        document.documentElement.outerHTML,
      ]),
      counts: [localStorage.length, databases.length],
    };
  });
  // The search looks into something: the journal and the settings are there.
  expect(inside.counts.every((count) => count > 0)).toBe(true);
  return inside.text + JSON.stringify(await context.cookies());
}

/** The bytes to look for: whole, and pieces that a copy would still hold. */
function traces(tokens: string[]): string[] {
  return tokens.flatMap((token) => [token, token.slice(0, 24), token.slice(-24), encodeURIComponent(token), btoa(token).slice(0, 24)]);
}

/** Every token that the provider gives from here on, as it comes. */
async function given(page: Page): Promise<string[]> {
  const tokens: string[] = [];
  await page.route('**/oidc/oauth/token', async (route) => {
    const answer = await route.fetch();
    const all = (await answer.json()) as Record<string, string>;
    await route.fulfill({ response: answer });
    for (const name of ['access_token', 'refresh_token', 'id_token']) {
      if (all[name]) tokens.push(all[name]);
    }
  });
  return tokens;
}

test.describe('tokens', () => {
  test('of a provider leave no trace in any storage, while signed in and after', async ({ retake, page, context, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { flaky: [{ count: 1, fails_runs: 1 }] }, duration_ms: [300, 500] });
    const tokens = await given(page);
    const bearers: string[] = [];
    page.on('request', (request) => {
      const header = request.headers()['authorization'];
      if (header) bearers.push(header);
    });
    await retake.signInByProvider(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    await retake.supervise({ 'poll-every': '1s' });
    await retake.verdict().toBe(0, 'pass-after-rerun');
    await expect.poll(() => tokens.length).toBe(3);
    const [first] = tokens;
    // The token went to the API of this site and nowhere else.
    expect(new Set(bearers)).toEqual(new Set([`Bearer ${first}`]));
    // Renewed ones leave none either.
    await sandbox.fault({ method: 'GET', path_contains: batch.batchID, fault: '401' });
    await page.getByRole('link', { name: /Supervisions/ }).click();
    await page.goBack();
    await expect.poll(() => new Set(bearers).size, { timeout: 60_000 }).toBe(2);
    expect(tokens.length).toBeGreaterThan(4);
    for (const bearer of bearers) expect(tokens).toContain(bearer.replace('Bearer ', ''));
    const during = await kept(page, context);
    for (const trace of traces(tokens)) expect(during).not.toContain(trace);
    // The transaction is used up; its secrets are gone as well.
    expect(during).not.toContain('retake-transaction');

    await page.getByRole('button', { name: /Account and settings/ }).click();
    await retake.hook('sign-out').click();
    await expect(retake.hook('sign-in-oidc')).toBeVisible();
    const after = await kept(page, context);
    for (const trace of traces(tokens)) expect(after).not.toContain(trace);
    // What was got is worth nothing any more: the sign-out revoked it.
    for (const bearer of new Set(bearers)) {
      const refused = await page.request.get('/v1/projects', { headers: { authorization: bearer } });
      expect(refused.status()).toBe(401);
    }
    // And the provider's session is over: a reload asks, it does not sign in.
    await page.goto('/supervisions');
    await expect(retake.hook('sign-in-oidc')).toBeVisible();
  });

  test('that are pasted leave no trace, and say what they are good for before they are used', async ({ retake, page, context, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { warning: 1 } });
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const exp = Math.floor(Date.now() / 1000) + 2 * 3600;
    const token = `${part({ alg: 'none' })}.${part({ sub: 'u', email: 'qa@example.com', exp, permissions: ['projects:read', 'batches:read'], canary: 'x7Qw9-canary-5fLk2' })}.c2lnbmF0dXJlLWNhbmFyeQ`;
    await page.goto(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    await retake.hook('sign-in-token').fill(token);
    await expect(retake.hook('token-says')).toContainText('For qa@example.com. Ends in 1 h 59 m.');
    await expect(retake.hook('token-says')).toContainText('Permits no batches:write');
    await retake.hook('sign-in-token-submit').click();
    await retake.supervise({ 'poll-every': '1s', 'max-rerun-attempts': '0' });
    await retake.verdict().toBe(8, 'fail');
    await page.getByRole('button', { name: /Account and settings/ }).click();
    await expect(retake.hook('token-expiry')).toContainText('pasted token, ends in 1 h');
    await expect(retake.hook('token-permits')).toContainText('batches:write');
    const during = await kept(page, context);
    for (const trace of traces([token])) expect(during).not.toContain(trace);
    await page.reload();
    const after = await kept(page, context);
    for (const trace of traces([token])) expect(after).not.toContain(trace);
  });

  test('signing out can clear this browser', async ({ retake, page, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { warning: 1 } });
    await retake.signInByProvider(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    await retake.supervise({ 'poll-every': '1s', 'max-rerun-attempts': '0' });
    await retake.verdict().toBe(8, 'fail');
    expect(await page.evaluate(() => Object.keys(localStorage))).toContain('retake-sign-ins');
    await page.getByRole('button', { name: /Account and settings/ }).click();
    await retake.hook('sign-out-forget').click();
    await expect(page.getByRole('dialog')).toContainText('forgets its supervisions (1)');
    await retake.hook('sign-out-stay').click();
    await expect(retake.hook('verdict').first()).toBeVisible();
    await page.getByRole('button', { name: /Account and settings/ }).click();
    await retake.hook('sign-out-forget').click();
    await retake.hook('sign-out-confirm').click();
    await expect(retake.hook('sign-in-token')).toBeVisible();
    const left = await page.evaluate(async () => [
      Object.keys(localStorage),
      Object.keys(sessionStorage),
      (await indexedDB.databases()).map((it) => it.name),
    ]);
    // A random number, so that no tab that slept signs in again.
    expect(left).toEqual([['retake-signed-out Sandbox'], [], []]);
    expect(await page.evaluate(() => localStorage.getItem('retake-signed-out Sandbox'))).toMatch(/^\d+$/);
  });
});

test.describe('a sign-out that the provider does not hear', () => {
  test('says what may still be open, and asks no discovery first', async ({ retake, page }) => {
    await retake.signInByProvider('/');
    let discoveries = 0;
    page.on('request', (request) => {
      if (request.url().includes('/.well-known/')) discoveries += 1;
    });
    await page.route('**/oidc/oauth/revoke', (route) => route.abort());
    await page.getByRole('button', { name: /Account and settings/ }).click();
    await retake.hook('sign-out').click();
    await expect(retake.hook('sign-in-why')).toContainText('The provider could not be told of the sign-out');
    await expect(retake.hook('sign-in-why')).not.toContainText('session at the provider');
    expect(discoveries).toBe(0);
  });

  test('says that the session is open where the provider cannot end it', async ({ retake, page }) => {
    await page.route('**/.well-known/openid-configuration', async (route) => {
      const answer = await route.fetch();
      const { end_session_endpoint: _, ...rest } = (await answer.json()) as Record<string, unknown>;
      await route.fulfill({ response: answer, json: rest });
    });
    await retake.signInByProvider('/');
    await page.getByRole('button', { name: /Account and settings/ }).click();
    await retake.hook('sign-out').click();
    await expect(retake.hook('sign-in-why')).toContainText('Your session at the provider may still be open');
  });
});

test.describe('a pasted token whose end has passed by this clock', () => {
  test('is warned of, and the API decides', async ({ retake, page }) => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    // Good for almost two hours more; this computer's clock is two hours ahead.
    const exp = Math.floor(Date.now() / 1000) + 110 * 60;
    await page.clock.setFixedTime(Date.now() + 120 * 60_000);
    await page.goto('/');
    await retake.hook('sign-in-token').fill(`${part({ alg: 'none' })}.${part({ sub: 'u', exp })}.x`);
    await expect(retake.hook('token-says')).toContainText(/By this computer's clock it ended (9 m|10 m)/);
    await retake.hook('sign-in-token-submit').click();
    await expect(retake.hook('project-row').first()).toBeVisible();
    await page.getByRole('button', { name: /Account and settings/ }).click();
    await expect(retake.hook('token-expiry')).toContainText('past its end');
  });
});

test.describe('sign-in with a code', () => {
  test('goes on after a gateway was out of order for a while', async ({ retake, page }) => {
    await page.goto('/sign-in');
    let polls = 0;
    await page.route('**/oidc/oauth/token', async (route) => {
      polls += 1;
      if (polls === 1) await route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>Bad gateway</h1>' });
      else await route.fallback();
    });
    await retake.hook('sign-in-device').click();
    const link = (await retake.hook('device-link').getAttribute('href')) ?? '';
    await page.request.get(link);
    await expect(retake.hook('project-row').first()).toBeVisible();
    expect(polls).toBeGreaterThan(1);
  });

  test('waits until it is confirmed elsewhere, then goes on, and keeps nothing that a reload could find', async ({ retake, page, context, sandbox }) => {
    const tokens = await given(page);
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 2 } });
    const path = `/projects/${batch.projectID}/batches/${batch.batchID}?status=ERROR`;
    await page.goto(path);
    await retake.hook('sign-in-device').click();
    await expect(retake.hook('device-code')).toHaveText(/^[A-Z0-9]{8}$/);
    const link = (await retake.hook('device-link').getAttribute('href')) ?? '';
    expect(link).toContain(await retake.hook('device-code').innerText());
    expect(await (await page.request.get(link)).text()).toContain('Confirmed');
    await expect(page).toHaveURL((url) => url.pathname + url.search === path);
    await expect(retake.rows).toHaveCount(2);
    expect(tokens.length).toBeGreaterThan(1);
    const during = await kept(page, context);
    for (const trace of traces(tokens)) expect(during).not.toContain(trace);
    await page.reload();
    await expect(retake.hook('sign-in-why')).toContainText('ends a sign-in by code');
  });

  for (const worker of [true, false]) {
    const where = worker ? 'kept by the worker' : 'in the hands of the page';

    test(`revokes what renewed the session before, ${where}, and waits for no word about it`, async ({ retake, page }) => {
      if (!worker) await page.route('**/keeper.js', (route) => route.abort());
      const given: string[] = [];
      await page.route('**/oidc/oauth/token', async (route) => {
        const answer = await route.fetch();
        const { refresh_token: token } = (await answer.json()) as { refresh_token?: string };
        if (token) given.push(token);
        await route.fulfill({ response: answer });
      });
      const ended: (string | null)[] = [];
      // Never answered.
      await page.route('**/oidc/oauth/revoke', (route) => {
        ended.push(new URLSearchParams(route.request().postData() ?? '').get('token'));
      });
      await retake.signInByProvider('/');
      await expect(retake.hook('project-row').first()).toBeVisible();
      await page.route('**/v1/projects*', (route) => route.fulfill({ status: 401, json: { message: 'expired' } }), { times: 2 });
      await page.getByRole('link', { name: /Supervisions/ }).click();
      await page.getByRole('link', { name: 'Retake, all projects' }).click();
      await expect(retake.hook('sign-in-why')).toContainText('session has expired');
      expect(ended).toEqual([]);
      await retake.hook('sign-in-device').click();
      await page.request.get((await retake.hook('device-link').getAttribute('href')) ?? '');
      await expect(retake.hook('project-row').first()).toBeVisible();
      // The sign-in, its renewal, and the new sign-in.
      await expect.poll(() => given.length).toBe(3);
      await expect.poll(() => ended).toEqual([given[1]]);
      // The provider's session of before is this browser's, and nobody ended it; whether it knows
      // of the token of before, nobody knows. A reload forgets the sign-in by the code, not that.
      await page.reload();
      await expect(retake.hook('sign-in-why')).toContainText('ends a sign-in by code');
      await page.unroute('**/oidc/oauth/revoke');
      await retake.hook('sign-in-device').click();
      await page.request.get((await retake.hook('device-link').getAttribute('href')) ?? '');
      await expect(retake.hook('project-row').first()).toBeVisible();
      await page.getByRole('button', { name: /Account and settings/ }).click();
      await retake.hook('sign-out').click();
      await expect(retake.hook('sign-in-why')).toContainText('Your session at the provider may still be open');
      await expect(retake.hook('sign-in-why')).toContainText('The provider could not be told of the sign-out');
      // Said once.
      await page.reload();
      await expect(retake.hook('sign-in-device')).toBeVisible();
      await expect(retake.hook('sign-in-why')).toHaveCount(0);
    });
  }

  test('a redirect session that a reload could not bring back is open at the provider, and a sign-out says so', async ({ retake, page }) => {
    await retake.signInByProvider('/supervisions');
    await page.route('**/.well-known/openid-configuration', (route) => route.abort());
    await page.reload();
    await expect(retake.hook('sign-in-why')).toContainText('could not reach the sign-in provider');
    await retake.hook('sign-in-token').fill('test-token');
    await retake.hook('sign-in-token-submit').click();
    await expect(page).toHaveURL(/\/supervisions$/);
    await page.getByRole('button', { name: /Account and settings/ }).click();
    await retake.hook('sign-out').click();
    await expect(retake.hook('sign-in-why')).toContainText('Your session at the provider may still be open');
    await expect(retake.hook('sign-in-why')).not.toContainText('could not be told');
  });

  for (const end of ['is never answered', 'is refused late']) {
    test(`waits for no renewal that hangs, neither for itself nor for its own; the old one ${end}`, async ({ retake, page }) => {
      await configure(page, { client_id: undefined });
      let renewals = 0;
      let grants = 0;
      let given2: string | undefined;
      let refuse = (): void => {};
      const refused = new Promise<void>((done) => (refuse = done));
      const ended: (string | null)[] = [];
      page.on('request', (request) => {
        if (request.url().endsWith('/oidc/oauth/revoke')) ended.push(new URLSearchParams(request.postData() ?? '').get('token'));
      });
      await page.route('**/oidc/oauth/token', async (route) => {
        if (route.request().postData()?.includes('grant_type=refresh_token')) {
          renewals += 1;
          if (renewals > 1) return route.fallback();
          if (end === 'is never answered') return;
          await refused;
          return route.fulfill({ status: 400, json: { error: 'invalid_grant' } });
        }
        const answer = await route.fetch();
        const given = (await answer.json()) as { access_token?: string; refresh_token?: string };
        if (!given.access_token) return route.fulfill({ response: answer });
        grants += 1;
        if (grants === 2) given2 = given.refresh_token;
        // The first has no permissions, so that a second is asked for, and is soon to be renewed.
        const access_token = grants === 1 ? 'opaque' : given.access_token;
        await route.fulfill({ response: answer, json: { ...given, access_token, expires_in: grants === 1 ? 20 : 3_600 } });
      });
      const confirm = async () => {
        await page.request.get((await retake.hook('device-link').getAttribute('href')) ?? '');
      };
      await page.goto('/supervisions');
      await retake.hook('sign-in-device').click();
      await confirm();
      const question = retake.hook('permissions-question');
      await expect(question).toBeVisible();
      await expect.poll(() => renewals).toBe(1);
      const since = Date.now();
      await question.getByRole('button', { name: 'Sign in again with a code' }).click();
      await confirm();
      // A renewal that hangs is given up after 30 s.
      await expect.poll(() => grants, { timeout: 15_000 }).toBe(2);
      await expect(page).toHaveURL(/\/supervisions$/, { timeout: 10_000 });
      await expect(question).toHaveCount(0);
      expect(renewals).toBe(1);
      refuse();
      // The API refuses the new token: it is renewed, whatever became of the old one.
      await page.route('**/v1/projects*', (route) => route.fulfill({ status: 401, json: { message: 'expired' } }), { times: 1 });
      await page.getByRole('link', { name: 'Retake, all projects' }).click();
      await expect(retake.hook('project-row').first()).toBeVisible({ timeout: 15_000 });
      expect(renewals).toBe(2);
      // Nor does the old one sign anybody out when it ends, after 30 s and another try.
      if (end === 'is never answered') await page.waitForTimeout(Math.max(0, since + 36_000 - Date.now()));
      await expect(retake.hook('project-row').first()).toBeVisible();
      await page.getByRole('button', { name: /Account and settings/ }).click();
      await expect(retake.hook('token-expiry')).toContainText('renewed by itself');
      expect(given2).toBeTruthy();
      expect(ended).not.toContain(given2);
    });
  }

  for (const worker of [true, false]) {
    const where = worker ? 'by the worker' : 'by the page, where no worker starts';

    test(`given up while the provider is asked about it leaves nothing alive, ${where}`, async ({ retake, page }) => {
      if (!worker) await page.route('**/keeper.js', (route) => route.abort());
      await page.goto('/sign-in');
      let given: string | undefined;
      let open = (): void => {};
      const opened = new Promise<void>((done) => (open = done));
      await page.route('**/oidc/oauth/token', async (route) => {
        const answer = await route.fetch();
        const { refresh_token: token } = (await answer.json()) as { refresh_token?: string };
        if (token) {
          given = token;
          await opened;
        }
        await route.fulfill({ response: answer });
      });
      const ended: (string | null)[] = [];
      page.on('request', (request) => {
        if (request.url().endsWith('/oidc/oauth/revoke')) ended.push(new URLSearchParams(request.postData() ?? '').get('token'));
      });
      await retake.hook('sign-in-device').click();
      await page.request.get((await retake.hook('device-link').getAttribute('href')) ?? '');
      await expect.poll(() => given, { timeout: 15_000 }).toBeTruthy();
      await page.getByRole('button', { name: 'Never mind' }).click();
      open();
      await expect.poll(() => ended).toEqual([given]);
      await expect(retake.hook('sign-in-device')).toBeVisible();
    });
  }

  test('shows the newer code on, whatever becomes of the one before', async ({ retake, page }) => {
    await page.goto('/sign-in');
    let open = (): void => {};
    const opened = new Promise<void>((done) => (open = done));
    const polled = page.waitForRequest('**/oidc/oauth/token');
    await page.route('**/oidc/oauth/token', async (route) => {
      await opened;
      await route.fulfill({ status: 400, json: { error: 'expired_token' } });
    }, { times: 1 });
    await retake.hook('sign-in-device').click();
    const first = await retake.hook('device-code').innerText();
    await polled;
    await retake.hook('sign-in-device').click();
    await expect(retake.hook('device-code')).not.toHaveText(first);
    open();
    await page.waitForTimeout(2_000);
    await expect(retake.hook('device-trouble')).toHaveCount(0);
    await page.request.get((await retake.hook('device-link').getAttribute('href')) ?? '');
    await expect(retake.hook('project-row').first()).toBeVisible({ timeout: 15_000 });
  });

  test('says so when it is refused', async ({ retake, page }) => {
    await page.goto('/sign-in');
    await retake.hook('sign-in-device').click();
    const link = (await retake.hook('device-link').getAttribute('href')) ?? '';
    await page.request.get(`${link}&answer=no`);
    await expect(retake.hook('device-trouble')).toContainText('refused');
    await expect(retake.hook('device-code')).toHaveCount(0);
  });
});

test.describe('a first sign-in whose role is still missing', () => {
  test('is asked about, not repeated in silence', async ({ retake, page }) => {
    await page.route('**/oidc/oauth/token', async (route) => {
      const answer = await route.fetch();
      const given = (await answer.json()) as { access_token: string };
      const [head, middle = '', tail] = given.access_token.split('.');
      const claims = JSON.parse(Buffer.from(middle, 'base64url').toString()) as Record<string, unknown>;
      delete claims['permissions'];
      const changed = Buffer.from(JSON.stringify(claims)).toString('base64url');
      await route.fulfill({ json: { ...given, access_token: [head, changed, tail].join('.') } });
    });
    await retake.signInByProvider('/');
    const question = retake.hook('permissions-question');
    await expect(question).toContainText('shows no permissions yet');
    await page.unroute('**/oidc/oauth/token');
    await question.getByRole('button', { name: 'Sign in again' }).click();
    await expect(retake.hook('project-row').first()).toBeVisible();
    await expect(question).toHaveCount(0);
  });

  test('keeps what renews it when a second sign-in cannot begin, and says whose answer is missing', async ({ retake, page }) => {
    await page.route('**/oidc/oauth/token', async (route) => {
      const answer = await route.fetch();
      // What is no JWT claims no permissions.
      await route.fulfill({ response: answer, json: { ...((await answer.json()) as object), access_token: 'opaque' } });
    }, { times: 1 });
    const ended: string[] = [];
    page.on('request', (request) => {
      if (request.url().endsWith('/oidc/oauth/revoke')) ended.push(request.postData() ?? '');
    });
    await retake.signInByProvider('/supervisions');
    const question = retake.hook('permissions-question');
    await expect(question).toBeVisible();
    await page.route('**/.well-known/openid-configuration', (route) => route.abort());
    await question.getByRole('button', { name: 'Sign in again' }).click();
    await expect(question).toContainText('could not reach the sign-in provider: no answer from the provider (');
    await page.getByRole('button', { name: /Account and settings/ }).click();
    await expect(retake.hook('token-expiry')).toContainText('renewed by itself');
    expect(ended).toEqual([]);
  });

  for (const way of ['by redirect', 'with a code']) {
    test(`a second sign-in ${way} that is no longer wanted when it can begin costs nothing`, async ({ retake, page }) => {
      if (way === 'with a code') await configure(page, { client_id: undefined });
      await page.route('**/oidc/oauth/token', async (route) => {
        const answer = await route.fetch();
        const given = (await answer.json()) as { access_token?: string };
        // What is no JWT shows no permissions.
        await route.fulfill({ response: answer, json: given.access_token ? { ...given, access_token: 'opaque' } : given });
      });
      const ended: string[] = [];
      page.on('request', (request) => {
        if (request.url().endsWith('/oidc/oauth/revoke')) ended.push(request.postData() ?? '');
      });
      if (way === 'with a code') {
        await page.goto('/supervisions');
        await retake.hook('sign-in-device').click();
        await page.request.get((await retake.hook('device-link').getAttribute('href')) ?? '');
      } else {
        await retake.signInByProvider('/supervisions');
      }
      const question = retake.hook('permissions-question');
      await expect(question).toBeVisible();
      let open = (): void => {};
      const opened = new Promise<void>((done) => (open = done));
      const described = page.waitForRequest('**/.well-known/openid-configuration');
      await page.route('**/.well-known/openid-configuration', async (route) => {
        await opened;
        await route.fallback();
      });
      await question.getByRole('button', { name: 'Sign in again' }).click();
      await described;
      await question.getByRole('button', { name: 'Go on without' }).click();
      await expect(question).toHaveCount(0);
      open();
      await page.waitForTimeout(3_000);
      await expect(page).toHaveURL(/\/supervisions$/);
      await page.getByRole('button', { name: /Account and settings/ }).click();
      await expect(retake.hook('token-expiry')).toContainText('renewed by itself');
      expect(ended).toEqual([]);
    });
  }

  test('signs in again from a page whose token ends with the sign-in before', async ({ retake, page, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, start: 'running', hang: true });
    await page.route('**/oidc/oauth/token', async (route) => {
      const answer = await route.fetch();
      const given = (await answer.json()) as { access_token: string };
      const [head, middle = '', tail] = given.access_token.split('.');
      const { permissions: _, ...claims } = JSON.parse(Buffer.from(middle, 'base64url').toString()) as Record<string, unknown>;
      const changed = Buffer.from(JSON.stringify(claims)).toString('base64url');
      await route.fulfill({ response: answer, json: { ...given, access_token: [head, changed, tail].join('.') } });
    }, { times: 1 });
    await retake.signInByProvider(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    await retake.supervise({ 'poll-every': '1s' });
    await expect(retake.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');
    let refused = 0;
    page.on('response', (answer) => {
      if (answer.url().includes('/v1/') && answer.status() === 401) refused += 1;
    });
    // The provider takes its time; meanwhile the page that is about to go reads, and is refused.
    await page.route('**/oidc/authorize*', async (route) => {
      await expect.poll(() => refused).toBeGreaterThan(0);
      await route.fallback();
    });
    await retake.hook('permissions-question').getByRole('button', { name: 'Sign in again' }).click();
    await expect.poll(() => refused).toBeGreaterThan(0);
    await expect(retake.hook('row-count')).toHaveText(/ of 12 tests$/);
    await expect(page).toHaveURL(new RegExp(`${batch.batchID}$`));
    await expect(retake.hook('permissions-question')).toHaveCount(0);
  });

  test('is asked for a new code where there is no sign-in by redirect', async ({ retake, page }) => {
    await configure(page, { client_id: undefined });
    await page.route('**/oidc/oauth/token', async (route) => {
      const answer = await route.fetch();
      const given = (await answer.json()) as { access_token?: string };
      const [head, middle = '', tail] = given.access_token?.split('.') ?? [];
      if (!tail) return route.fulfill({ response: answer });
      const { permissions: _, ...claims } = JSON.parse(Buffer.from(middle, 'base64url').toString()) as Record<string, unknown>;
      const changed = Buffer.from(JSON.stringify(claims)).toString('base64url');
      await route.fulfill({ response: answer, json: { ...given, access_token: [head, changed, tail].join('.') } });
    });
    await page.goto('/supervisions');
    await expect(retake.hook('sign-in-oidc')).toHaveCount(0);
    const confirm = async () => {
      await page.request.get((await retake.hook('device-link').getAttribute('href')) ?? '');
      await expect(page).toHaveURL(/\/supervisions$/);
    };
    await retake.hook('sign-in-device').click();
    await confirm();
    const question = retake.hook('permissions-question');
    const again = question.getByRole('button', { name: 'Sign in again with a code' });
    const expiry = async () => {
      const menu = page.getByRole('button', { name: /Account and settings/ });
      await menu.click();
      const words = await retake.hook('token-expiry').innerText();
      await menu.click();
      return words;
    };
    // The provider does not describe itself: the session at hand loses nothing.
    await page.route('**/.well-known/openid-configuration', (route) => route.abort(), { times: 1 });
    await again.click();
    await expect(retake.hook('device-trouble')).toContainText('no answer from the provider');
    expect(await expiry()).toContain('renewed by itself');
    // With a code in hand the page stays, and is signed in until it is confirmed.
    let described = 0;
    await page.route('**/.well-known/openid-configuration', (route) => {
      described += 1;
      return route.fallback();
    });
    await again.click();
    await expect(retake.hook('device-code')).toBeVisible();
    await expect(page).toHaveURL(/\/supervisions$/);
    // The role is still missing: the code is used up, and that is said.
    await confirm();
    await expect(retake.hook('device-trouble')).toContainText('This sign-in shows no permissions either');
    await expect(retake.hook('device-code')).toHaveCount(0);
    expect(await expiry()).toContain('renewed by itself');
    await page.unroute('**/oidc/oauth/token');
    described = 0;
    await again.click();
    await confirm();
    await expect(question).toHaveCount(0);
    expect(described, 'what was asked once is not asked again').toBe(1);
    expect(await expiry()).toContain('renewed by itself');
  });
});

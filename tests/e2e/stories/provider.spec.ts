/** Signing in by a certified provider that is not ours, and everything that can be wrong on the way back. */
import type { Page } from '@playwright/test';

import { CLIENT, revoked } from '../support/provider.js';
import { Retake } from '../support/retake.js';
import type { Sandbox } from '../support/sandbox.js';
import { configureFor, expect, signIn, signInThere, test } from '../support/with-provider.js';

test.describe('a certified provider', () => {
  test('signs in, a reload signs in again in silence, sign-out ends its session', async ({ retake, page, sandbox, provider }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 2 } });
    const path = `/projects/${batch.projectID}/batches/${batch.batchID}?status=ERROR`;
    await signIn(retake, path);
    await expect(retake.rows).toHaveCount(2);
    await page.reload();
    await expect(retake.rows).toHaveCount(2);
    await expect(page).toHaveURL((url) => url.pathname + url.search === path);
    expect(provider.grants.map((it) => it.status)).toEqual([200, 200]);

    await page.getByRole('button', { name: /Account and settings/ }).click();
    await expect(retake.hook('token-expiry')).toContainText('renewed by itself');
    await retake.hook('sign-out').click();
    // The provider asks whether it is meant; it is.
    await page.getByRole('button', { name: /Yes, sign me out/ }).click();
    await expect(page).toHaveURL(/\/sign-in$/);
    await expect(retake.hook('sign-in-oidc')).toBeVisible();
    // The page's refresh token was ended there before.
    expect(provider.revocations).toEqual([{ token: provider.grants.at(-1)?.given, status: 200 }]);
    // It knows nobody any more: the next sign-in begins with its question.
    await retake.hook('sign-in-oidc').click();
    await expect(page.locator('input[name=login]')).toBeVisible();
  });

  test('knows nobody any more at a reload: one click leads through its question and back', async ({ retake, page, context, sandbox, provider }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 2 } });
    const path = `/projects/${batch.projectID}/batches/${batch.batchID}?status=ERROR`;
    await signIn(retake, path);
    await expect(retake.rows).toHaveCount(2);
    await context.clearCookies();
    await page.reload();
    await expect(retake.hook('sign-in-why')).toContainText('Sign in again to go on where you were.');
    await retake.hook('sign-in-oidc').click();
    await signInThere(page);
    await expect(retake.rows).toHaveCount(2);
    await expect(page).toHaveURL((url) => url.pathname + url.search === path);
    expect(provider.grants.map((it) => it.status)).toEqual([200, 200]);
  });

  test('knows nobody any more: of two new tabs one asks it, and both show the sign-in', async ({ retake, context, provider }) => {
    await configureFor(context, provider);
    await signIn(retake);
    await context.clearCookies();
    const asked: string[] = [];
    context.on('request', (request) => {
      if (new URL(request.url()).searchParams.get('prompt') === 'none') asked.push(request.url());
    });
    for (const why of [1, 0]) {
      const tab = new Retake(await context.newPage());
      await tab.page.goto('/supervisions');
      await expect(tab.hook('sign-in-oidc')).toBeVisible();
      await expect(tab.hook('sign-in-why')).toHaveCount(why);
      await expect(tab.page).toHaveURL(/\/sign-in\?to=\/supervisions$/);
    }
    expect(asked).toHaveLength(1);
  });

  test('signs in by a code that is confirmed on another page, and renews and revokes what that gave', async ({ retake, page, context, provider }) => {
    await page.route('**/config.json', (route) =>
      route.fulfill({ json: { environments: [{ name: 'Certified', api: '/v1/', issuer: provider.issuer, device_client_id: CLIENT }] } }),
    );
    await page.goto('/');
    await retake.hook('sign-in-device').click();
    const link = (await retake.hook('device-link').getAttribute('href')) ?? '';
    expect(new URL(link).origin).toBe(provider.issuer);
    const there = await context.newPage();
    await there.goto(link);
    await expect(there.locator('body')).toContainText(await retake.hook('device-code').innerText());
    await there.getByRole('button', { name: 'Continue' }).click();
    await signInThere(there);
    await expect(there.locator('body')).toContainText('Sign-in Success');
    await expect(retake.hook('project-row').first()).toBeVisible();
    const device = provider.grants.filter((it) => it.grant_type.endsWith(':device_code'));
    expect(device.at(-1)?.status).toBe(200);
    // A refused token is renewed with what the code gave.
    await page.route('**/v1/projects*', (route) => route.fulfill({ status: 401, json: { message: 'expired' } }), { times: 1 });
    await page.getByRole('link', { name: /Supervisions/ }).click();
    await page.getByRole('link', { name: 'Retake, all projects' }).click();
    await expect(retake.hook('project-row').first()).toBeVisible();
    expect(provider.grants.at(-1)).toMatchObject({ grant_type: 'refresh_token', status: 200 });
    await page.getByRole('button', { name: /Account and settings/ }).click();
    await retake.hook('sign-out').click();
    await expect(retake.hook('sign-in-device')).toBeVisible();
    expect(revoked(provider)).toEqual([provider.given.at(-1)?.refresh_token]);
  });

  test('a denial is told, and nobody is signed in', async ({ retake, page, provider }) => {
    await page.goto('/supervisions');
    await retake.hook('sign-in-oidc').click();
    await page.locator('input[name=login]').waitFor();
    await page.getByRole('link', { name: /Cancel/ }).click();
    await expect(retake.hook('sign-in-why')).toContainText('refused the sign-in (access_denied)');
    await expect(page).toHaveURL(/\/sign-in\?to=/);
    expect(provider.grants).toEqual([]);
  });

  test('an answer with another state, issuer, or none is refused and its code never sent', async ({ retake, page, provider }) => {
    test.setTimeout(120_000);
    const changes: [string, (url: URL) => void, RegExp][] = [
      ['state', (url) => url.searchParams.set('state', 'x'.repeat(43)), /not started in this tab/],
      ['no state', (url) => url.searchParams.delete('state'), /not started in this tab/],
      ['two states', (url) => url.searchParams.append('state', 'x'), /not started in this tab/],
      ['mix-up', (url) => url.searchParams.set('iss', 'https://evil.example'), /Another provider answered/],
      ['no issuer', (url) => url.searchParams.delete('iss'), /Another provider answered/],
      ['two issuers', (url) => url.searchParams.append('iss', 'https://evil.example'), /Another provider answered/],
      ['no code', (url) => url.searchParams.delete('code'), /holds nothing/],
      ['two codes', (url) => url.searchParams.append('code', 'stolen'), /holds nothing/],
    ];
    let first = true;
    for (const [name, change, words] of changes) {
      const back = provider.holdNextAnswer();
      await page.goto('/sign-in');
      await retake.hook('sign-in-oidc').click();
      if (first) await signInThere(page);
      first = false;
      const url = await back();
      await expect(page.locator('body')).toHaveText('held');
      change(url);
      await page.goto(url.href);
      await expect(retake.hook('sign-in-why'), name).toContainText(words);
      // The transaction is used up: the true answer comes too late.
      await page.goto((await back()).href);
      await expect(retake.hook('sign-in-why'), name).toContainText('not started in this tab');
    }
    expect(provider.grants).toEqual([]);
  });

  test('a code that comes twice is taken once', async ({ retake, page, provider }) => {
    const back = provider.holdNextAnswer();
    await page.goto('/sign-in');
    await retake.hook('sign-in-oidc').click();
    await signInThere(page);
    const url = await back();
    await expect(page.locator('body')).toHaveText('held');
    await page.goto(url.href);
    await expect(retake.hook('project-row').first()).toBeVisible();
    await page.goto(url.href);
    await expect(retake.hook('sign-in-why')).toContainText('not started in this tab');
    expect(provider.grants.map((it) => it.status)).toEqual([200]);
  });

  test('a code that somebody else used first is refused by the provider, and that is told', async ({ retake, page, baseURL, provider }) => {
    const back = provider.holdNextAnswer();
    await page.goto('/sign-in');
    await retake.hook('sign-in-oidc').click();
    await signInThere(page);
    const url = await back();
    await expect(page.locator('body')).toHaveText('held');
    const exchange = (verifier: string) =>
      page.request.post(`${provider.issuer}/token`, {
        form: {
          grant_type: 'authorization_code',
          code: url.searchParams.get('code') ?? '',
          redirect_uri: `${baseURL}/callback`,
          client_id: CLIENT,
          code_verifier: verifier,
        },
      });
    // Without the verifier, which never leaves the tab, the code is worth nothing.
    expect((await exchange('guessed-'.repeat(6))).status()).toBe(400);
    // A page of the site, to look into what the tab keeps for it.
    await page.goto('/favicon.svg');
    const kept = await page.evaluate(() => sessionStorage.getItem('retake-transaction') ?? '{}');
    const { verifier } = JSON.parse(kept) as { verifier: string };
    expect((await exchange(verifier)).status()).toBe(200);
    await page.goto(url.href);
    await expect(retake.hook('sign-in-why')).toContainText('gave no token (invalid_grant)');
  });

  for (const hours of [-26, -1, 1, 26]) {
    test(`a clock that is ${hours} h off signs in all the same`, async ({ retake, page, sandbox, provider }) => {
      const batch = await sandbox.batch({ tests: 12, outcomes: { error: 2 } });
      const offset = hours * 3_600_000;
      await page.addInitScript((offset) => {
        const RealDate = Date;
        const now = RealDate.now.bind(RealDate);
        class Shifted extends RealDate {
          constructor(...words: unknown[]) {
            // Without words it is the present.
            super(...((words.length ? words : [now() + offset]) as [number]));
          }
          static override now(): number {
            return now() + offset;
          }
        }
        globalThis.Date = Shifted as DateConstructor;
      }, offset);
      await signIn(retake, `/projects/${batch.projectID}/batches/${batch.batchID}?status=ERROR`);
      await expect(retake.rows).toHaveCount(2);
      expect(provider.grants.map((it) => it.status)).toEqual([200]);
    });
  }
});

/** The session is over once the API refuses the old token too; not before. */
async function expectSignInAgain(retake: Retake, sandbox: Sandbox, batchID: string): Promise<void> {
  await sandbox.fault({ path_contains: batchID, fault: '401', times: 2 });
  await retake.hook('refresh').click();
  await expect(retake.hook('sign-in-why')).toContainText('session has expired');
  await expect(retake.page).toHaveURL(/\/sign-in\?to=/);
}

test('two tabs whose tokens are refused at once refresh one after the other', async ({ retake, page, context, provider }) => {
  await signIn(retake);
  const second = new Retake(await context.newPage());
  await configureFor(second.page, provider);
  await second.page.goto('/');
  await expect(second.hook('project-row').first()).toBeVisible();
  await expect(retake.hook('project-row').first()).toBeVisible();
  const before = provider.grants.length;
  provider.slow.ms = 2_500;
  // Both reads are on their way before either tab has its answer.
  const struck: (() => void)[] = [];
  for (const tab of [page, second.page]) {
    await tab.route('**/v1/projects*', async (route) => {
      await new Promise<void>((go) => {
        struck.push(go);
        if (struck.length === 2) for (const each of struck) each();
      });
      await route.fulfill({ status: 401, json: { message: 'expired' } });
    }, { times: 1 });
    await tab.getByRole('link', { name: /Supervisions/ }).click();
    await tab.getByRole('link', { name: 'Retake, all projects' }).click();
  }
  await expect.poll(() => provider.grants.length).toBe(before + 2);
  const [first, then] = provider.grants.slice(before).sort((a, b) => a.at - b.at);
  expect([first?.grant_type, then?.grant_type]).toEqual(['refresh_token', 'refresh_token']);
  expect([first?.status, then?.status]).toEqual([200, 200]);
  // The slow answers would lie over each other if nothing kept them apart.
  expect((first?.until ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(2_500);
  expect(then?.at).toBeGreaterThanOrEqual(first?.until ?? Infinity);
  await expect(second.hook('project-row').first()).toBeVisible();
  await expect(retake.hook('project-row').first()).toBeVisible();
});

/** Reads the list of projects anew; gives the token that the read was sent with, once it is answered. */
async function readProjects(page: Page, limit: number): Promise<string | undefined> {
  const read = page.waitForResponse('**/v1/projects*', { timeout: limit });
  await page.getByRole('link', { name: /Supervisions/ }).click();
  await page.getByRole('link', { name: 'Retake, all projects' }).click();
  const answer = await read;
  expect(answer.status()).toBe(200);
  return (await answer.request().allHeaders())['authorization'];
}

test('signing out in one tab ends what renews the other one, too', async ({ retake, page, context, provider }) => {
  await configureFor(context, provider);
  await signIn(retake, '/supervisions');
  const second = new Retake(await context.newPage());
  await second.page.goto('/');
  await expect(second.hook('project-row').first()).toBeVisible();
  const given = provider.given.map((it) => it.refresh_token);
  expect(new Set(given).size).toBe(2);
  await page.getByRole('button', { name: /Account and settings/ }).click();
  await retake.hook('sign-out').click();
  await expect(second.hook('sign-in-why')).toContainText('You signed out in another tab of this browser.');
  await expect.poll(() => revoked(provider).toSorted()).toEqual(given.toSorted());
});

test.describe('tokens that live for half a minute', () => {
  // Due after 15 s; from 25 s on a read does not rely on them.
  test.use({ lifetimes: { access: 30, refresh: 86_400 } });

  test('while the provider hangs, reads go on with the token that is still good, and wait for another once it has ended', async ({ retake, page, provider }) => {
    await signIn(retake);
    await expect(retake.hook('project-row').first()).toBeVisible();
    const since = Date.now();
    let asked = 0;
    let open = (): void => {};
    const opened = new Promise<void>((done) => (open = done));
    await page.route(`${provider.issuer}/token`, async (route) => {
      asked += 1;
      await opened;
      await route.fallback();
    });
    await expect.poll(() => asked).toBe(1);
    const token = (n: number) => `Bearer ${provider.given[n]?.access_token}`;
    expect(await readProjects(page, 5_000)).toBe(token(0));
    expect(Date.now() - since, 'the token is good').toBeLessThan(25_000);
    expect(provider.given, 'no other has come').toHaveLength(1);

    await page.waitForTimeout(Math.max(0, since + 26_000 - Date.now()));
    let sent = 0;
    page.on('request', (request) => {
      if (request.url().includes('/v1/projects')) sent += 1;
    });
    const read = readProjects(page, 30_000);
    await page.waitForTimeout(2_000);
    expect(sent, 'it waits').toBe(0);
    open();
    expect(await read).toBe(token(1));
    // Each try is given up after 8 s, so that all are within the provider's overlap.
    expect(asked, 'tries of one renewal').toBeLessThanOrEqual(3);
    expect(provider.grants.filter((it) => it.grant_type === 'refresh_token'), 'one that came through').toHaveLength(1);
  });

  test('that ended while the provider is out of order: the page blames the provider, not the API, and goes on by itself', async ({ retake, page, provider }) => {
    await signIn(retake);
    await expect(retake.hook('project-row').first()).toBeVisible();
    const since = Date.now();
    await page.route(`${provider.issuer}/token`, (route) => route.fulfill({ status: 503, body: 'later' }));
    await page.getByRole('link', { name: /Supervisions/ }).click();
    await page.waitForTimeout(Math.max(0, since + 31_000 - Date.now()));
    let sent = 0;
    page.on('request', (request) => {
      if (request.url().includes('/v1/')) sent += 1;
    });
    await page.getByRole('link', { name: 'Retake, all projects' }).click();
    const notice = page.getByRole('alert').filter({ hasText: 'could not be read' });
    await expect(notice).toContainText('there is no token to ask with at the moment: the sign-in provider does not answer', { timeout: 20_000 });
    await expect(notice).not.toContainText(/the API|CORS/);
    expect(sent, 'nothing leaves with a token that has ended').toBe(0);
    await page.unroute(`${provider.issuer}/token`);
    await expect(retake.hook('project-row').first()).toBeVisible({ timeout: 60_000 });
  });
});

test.describe('tokens that live for a minute', () => {
  test.use({ lifetimes: { access: 60, refresh: 86_400 } });

  test('are renewed before they end, unasked, when something else answered in the provider’s place the first time', async ({ retake, page, provider }) => {
    await signIn(retake, '/supervisions');
    const since = Date.now();
    let reads = 0;
    page.on('request', (request) => {
      if (request.url().includes('/v1/')) reads += 1;
    });
    let failed = 0;
    // One renewal is three tries. None of these says that the refresh token is no longer good.
    const answers = [
      { status: 503, body: 'later' },
      { status: 403, contentType: 'text/html', body: '<h1>Forbidden by your firewall</h1>' },
      { status: 200, contentType: 'text/html', body: '<h1>Sign in to this network</h1>' },
    ];
    await page.route(
      `${provider.issuer}/token`,
      (route) => {
        failed += 1;
        return route.fulfill({ ...answers[failed - 1], headers: { 'access-control-allow-origin': '*' } });
      },
      { times: 3 },
    );
    await expect.poll(() => failed, { timeout: 45_000 }).toBe(3);
    await page.getByRole('button', { name: /Account and settings/ }).click();
    await expect.soft(retake.hook('token-expiry')).toContainText('the provider did not answer, asked again in', { timeout: 5_000 });
    await expect.poll(() => provider.given.length, { timeout: 30_000 }).toBe(2);
    expect((provider.grants[1]?.at ?? Infinity) - since).toBeLessThan(60_000);
    expect(reads, 'nothing asked for it').toBe(0);
    await expect(retake.hook('token-expiry')).toContainText('renewed by itself, next in');
  });
});

test.describe('tokens that live for ten seconds', () => {
  // They are renewed after half of that, and not without a pause.
  test.use({ lifetimes: { access: 10, refresh: 86_400 } });

  test('are renewed ahead with a rotating refresh token; one that is used again ends them all', async ({ retake, page, sandbox, provider }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 2 } });
    await signIn(retake, `/projects/${batch.projectID}/batches/${batch.batchID}?status=ERROR`);
    const renewals = () => provider.grants.filter((it) => it.grant_type === 'refresh_token');
    // Twice with success: the second shows that the rotated token is used.
    await expect.poll(() => renewals().length, { timeout: 30_000 }).toBeGreaterThanOrEqual(2);
    expect(renewals().every((it) => it.status === 200)).toBe(true);
    expect(renewals()[1]?.used).toBe(renewals()[0]?.given);
    const [first, second] = renewals();
    expect((second?.at ?? 0) - (first?.at ?? 0), 'a pause between them').toBeGreaterThan(4_000);
    await expect(retake.rows).toHaveCount(2);

    // Whoever got hold of an old one gets nothing, and is noticed.
    const stolen = first?.used ?? '';
    const replay = await page.request.post(`${provider.issuer}/token`, {
      form: { grant_type: 'refresh_token', refresh_token: stolen, client_id: CLIENT },
    });
    expect(replay.status()).toBe(400);
    expect(renewals().find((it) => it.status === 400)?.why).toBe('refresh token already used');
    const refused = () => renewals().filter((it) => it.used !== stolen && it.status === 400);
    await expect.poll(() => refused().length, { timeout: 30_000 }).toBe(1);
    // The menu no longer promises what will not be.
    await page.getByRole('button', { name: /Account and settings/ }).click();
    await expect(retake.hook('token-expiry')).toContainText('the provider refuses to renew it');
    await page.keyboard.press('Escape');
    // What was refused once was not tried again.
    await expectSignInAgain(retake, sandbox, batch.batchID);
    expect(refused()).toHaveLength(1);
  });
});

test.describe('a refresh token that lives for 8 s', () => {
  test.use({ lifetimes: { access: 10, refresh: 8 } });

  test('ends, however often it was rotated; that leads to sign-in', async ({ retake, sandbox, provider }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 2 } });
    await signIn(retake, `/projects/${batch.projectID}/batches/${batch.batchID}?status=ERROR`);
    await expect(retake.rows).toHaveCount(2);
    const refused = () => provider.grants.find((it) => it.status === 400);
    await expect.poll(() => refused()?.why, { timeout: 30_000 }).toMatch(/^refresh token (is expired|not found)$/);
    // The provider counts in whole seconds.
    expect((refused()?.at ?? 0) - (provider.grants[0]?.at ?? 0)).toBeGreaterThan(7_000);
    await expectSignInAgain(retake, sandbox, batch.batchID);
  });
});

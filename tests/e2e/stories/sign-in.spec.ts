import type { APIResponse, Page } from '@playwright/test';

import { configure } from '../support/chaos.js';
import { expect, Retake, test } from '../support/retake.js';

test.describe('sign in', () => {
  test('the provider signs in and leads back to the page that was wanted', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 2 } });
    await retake.signInByProvider(`/projects/${batch.projectID}/batches/${batch.batchID}?status=ERROR`);
    await expect(retake.rows).toHaveCount(2);
  });

  test('a reload signs in again in silence and keeps address and filters', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 2 } });
    const path = `/projects/${batch.projectID}/batches/${batch.batchID}?status=ERROR`;
    await retake.signInByProvider(path);
    await expect(retake.rows).toHaveCount(2);
    await page.reload();
    await expect(retake.rows).toHaveCount(2);
    await expect(page).toHaveURL((url) => url.pathname + url.search === path);
  });

  test('a link that is opened in a new tab needs no second sign-in, nor does a third tab meanwhile', async ({ retake, sandbox, context }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 2 } });
    await retake.signInByProvider('/');
    const path = `/projects/${batch.projectID}/batches/${batch.batchID}?status=ERROR`;
    const tabs = [new Retake(await context.newPage()), new Retake(await context.newPage())];
    await Promise.all(tabs.map((tab) => tab.page.goto(path)));
    for (const tab of tabs) {
      await expect(tab.rows).toHaveCount(2);
      await expect(tab.page).toHaveURL((url) => url.pathname + url.search === path);
    }
  });

  test('a new tab does not go to the provider once somebody has signed out, was last signed in by a token, or asks for the sign-in page', async ({ retake, page, context }) => {
    const asked: string[] = [];
    context.on('request', (request) => {
      if (request.url().includes('/oidc/authorize')) asked.push(request.url());
    });
    const expectDoor = async (path: string): Promise<Retake> => {
      const tab = new Retake(await context.newPage());
      await tab.page.goto(path);
      await expect(tab.hook('sign-in-oidc')).toBeVisible();
      await expect(tab.hook('sign-in-why')).toHaveCount(0);
      return tab;
    };
    await retake.signInByProvider('/supervisions');
    asked.length = 0;
    const tab = await expectDoor('/sign-in?to=/supervisions');
    expect(asked).toEqual([]);
    await tab.hook('sign-in-token').fill('test-token');
    await tab.hook('sign-in-token-submit').click();
    await expect(tab.page).toHaveURL(/\/supervisions$/);
    await expectDoor('/supervisions');
    expect(asked).toEqual([]);

    await page.reload();
    await expect(page.getByRole('button', { name: /Account and settings/ })).toBeVisible();
    asked.length = 0;
    await page.getByRole('button', { name: /Account and settings/ }).click();
    await retake.hook('sign-out').click();
    await expect(retake.hook('sign-in-oidc')).toBeVisible();
    await expectDoor('/supervisions');
    expect(asked).toEqual([]);
  });

  test('a provider whose page never comes is asked by new tabs for a minute, and once by each', async ({ retake, context }) => {
    await retake.signInByProvider('/supervisions');
    let asked = 0;
    await context.route('**/oidc/authorize*', async (route) => {
      asked += 1;
      await route.abort('aborted');
    });
    const open = async (): Promise<Retake> => {
      const tab = new Retake(await context.newPage());
      await tab.page.goto('/supervisions');
      await expect(tab.hook('sign-in-oidc')).toBeVisible();
      return tab;
    };
    const tab = await open();
    await expect(tab.hook('sign-in-why')).toContainText("The sign-in provider's page did not come.");
    expect(asked).toBe(1);
    await tab.page.goto('/supervisions');
    await expect(tab.hook('sign-in-oidc')).toBeVisible();
    expect(asked, 'this tab has asked').toBe(1);
    // As if the first had asked long ago.
    await tab.page.evaluate(() => {
      const all = JSON.parse(localStorage.getItem('retake-sign-ins') ?? '{}') as { asked_since: number };
      localStorage.setItem('retake-sign-ins', JSON.stringify({ ...all, asked_since: all.asked_since - 61_000 }));
    });
    const late = await open();
    await expect(late.hook('sign-in-why')).toHaveCount(0);
    expect(asked, 'nobody has come back for a minute').toBe(1);
    await context.unroute('**/oidc/authorize*');
    await late.hook('sign-in-oidc').click();
    await expect(late.page).toHaveURL(/\/supervisions$/);
    const next = new Retake(await context.newPage());
    await next.page.goto('/supervisions');
    await expect(next.page.getByRole('button', { name: /Account and settings/ })).toBeVisible();
  });

  test('among several environments a person chooses, in a new tab as well, until one is signed out of', async ({ retake, context }) => {
    const one = { api: '/v1/', issuer: '/oidc', client_id: 'retake-sandbox', sandbox: true };
    const environments = ['North', 'South'].map((name) => ({ ...one, name }));
    await context.route('**/config.json', (route) => route.fulfill({ json: { environments } }));
    const choose = async (tab: Retake, name: string): Promise<void> => {
      await tab.page.getByRole('radio', { name }).check();
      await tab.hook('sign-in-oidc').click();
      await expect(tab.page.getByRole('button', { name: /Account and settings/ })).toContainText(name);
    };
    await retake.page.goto('/supervisions');
    await choose(retake, 'North');
    // One alone: no question. What it does not have may be in the other one.
    const second = new Retake(await context.newPage());
    await second.page.goto('/projects/00000000-0000-4000-8000-000000000000');
    const other = second.hook('other-environment');
    await expect(other).toContainText('Look in another environment than North');
    const opened = context.waitForEvent('page');
    await other.click();
    const third = new Retake(await opened);
    await choose(third, 'South');
    await expect(third.page).toHaveURL(/\/projects\/00000000/);
    const fourth = new Retake(await context.newPage());
    await fourth.page.goto('/supervisions');
    await expect(fourth.hook('sign-in-oidc')).toBeVisible();
    await fourth.page.close();
    await third.page.getByRole('button', { name: /Account and settings/ }).click();
    await third.hook('sign-out').click();
    await expect(third.hook('sign-in-oidc')).toBeVisible();
    // Nobody has signed in to North since: a click is needed once.
    const fifth = new Retake(await context.newPage());
    await fifth.page.goto('/supervisions');
    await choose(fifth, 'North');
    const sixth = new Retake(await context.newPage());
    await sixth.page.goto('/supervisions');
    await expect(sixth.page.getByRole('button', { name: /Account and settings/ })).toContainText('North');
  });

  test('a pasted token signs in; after a reload the page asks for it again and comes back', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { blocker: 3 } });
    await retake.openBatch(batch, '?status=BLOCKER');
    await expect(retake.rows).toHaveCount(3);
    await page.reload();
    await expect(retake.hook('sign-in-why')).toContainText('loaded anew');
    await retake.hook('sign-in-token').fill('test-token');
    await retake.hook('sign-in-token-submit').click();
    await expect(retake.rows).toHaveCount(3);
  });

  test('a provider that describes itself late takes nobody away who has pasted a token meanwhile', async ({ retake, page }) => {
    let open = (): void => {};
    const opened = new Promise<void>((done) => (open = done));
    const described = page.waitForRequest('**/.well-known/openid-configuration');
    await page.route('**/.well-known/openid-configuration', async (route) => {
      await opened;
      await route.fallback();
    });
    await page.goto('/sign-in');
    await retake.hook('sign-in-oidc').click();
    await described;
    await retake.hook('sign-in-token').fill('test-token');
    await retake.hook('sign-in-token-submit').click();
    await expect(retake.hook('project-row').first()).toBeVisible();
    const gone = page.waitForRequest('**/oidc/authorize*', { timeout: 3_000 }).catch(() => null);
    open();
    expect(await gone).toBeNull();
    await expect(retake.hook('project-row').first()).toBeVisible();
  });

  test('back from the provider while config.json cannot be read, nothing is used up', async ({ retake, page }) => {
    let fails = false;
    await page.route('**/config.json', (route) => (fails ? route.fulfill({ status: 503, body: 'later' }) : route.fallback()));
    await page.goto('/supervisions');
    await page.route('**/oidc/authorize*', async (route) => {
      fails = true;
      await route.fallback();
    });
    await retake.hook('sign-in-oidc').click();
    await expect(retake.hook('config-error')).toContainText('503');
    fails = false;
    await page.getByRole('button', { name: 'Read it again' }).click();
    await expect(page).toHaveURL(/\/supervisions$/);
    await expect(page.getByRole('button', { name: /Account and settings/ })).toBeVisible();
  });

  test('a provider whose page does not come can be gone to again, at once where Back leads here', async ({ retake, page }) => {
    let asked = 0;
    await page.route('**/oidc/authorize*', async (route) => {
      asked += 1;
      // As if the person stopped it: the browser stays where it is.
      if (asked < 3) await route.abort('aborted');
      else await route.fallback();
    });
    await page.goto('/supervisions');
    const door = retake.hook('sign-in-oidc');
    await door.click();
    await expect(door).toContainText('Going to the provider');
    await expect.poll(() => asked).toBe(1);
    await page.evaluate(() => window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
    await expect(door).toContainText('Sign in to', { timeout: 5_000 });
    await door.click();
    await expect(door).toContainText('Going to the provider');
    // By itself.
    await expect(door).toContainText('Sign in to');
    await door.click();
    await expect(page).toHaveURL(/\/supervisions$/);
    await expect(page.getByRole('button', { name: /Account and settings/ })).toBeVisible();
  });

  test('a reload whose silent sign-in meets no page ends at the sign-in, and says why', async ({ retake, page }) => {
    await retake.signInByProvider('/supervisions');
    await page.route('**/oidc/authorize*', (route) => route.abort('aborted'));
    await page.reload();
    await expect(retake.hook('sign-in-why')).toContainText('The sign-in provider\'s page did not come.');
    await page.unroute('**/oidc/authorize*');
    await retake.hook('sign-in-oidc').click();
    await expect(page).toHaveURL(/\/supervisions$/);
  });

  test('a tab that was at the provider when another one signed out is signed out as well, as is one that slept', async ({ retake, page, context }) => {
    await retake.signInByProvider('/supervisions');
    const other = new Retake(await context.newPage());
    await other.signInByProvider('/');
    const asleep = new Retake(await context.newPage());
    await asleep.signInByProvider('/supervisions');
    await asleep.page.goto('about:blank');
    // The provider has answered with a code, which is still on its way.
    const revoked: string[] = [];
    context.on('request', (request) => {
      if (request.url().endsWith('/oidc/oauth/revoke')) revoked.push(request.postData() ?? '');
    });
    let deliver = (): void => {};
    const delivered = new Promise<void>((done) => (deliver = done));
    const answered = new Promise<void>((done) => {
      void page.route('**/oidc/authorize?*', async (route) => {
        const response = await route.fetch({ maxRedirects: 0 });
        expect(response.headers()['location']).toContain('code=');
        done();
        await delivered;
        await route.fulfill({ response });
      });
    });
    void page.reload();
    await answered;
    await other.page.getByRole('button', { name: /Account and settings/ }).click();
    await other.hook('sign-out').click();
    await expect(other.hook('sign-in-oidc')).toBeVisible();
    deliver();
    await expect(retake.hook('sign-in-why')).toContainText('You signed out in another tab of this browser.');
    await asleep.page.goBack();
    await expect(asleep.hook('sign-in-why')).toContainText('You signed out in another tab of this browser.');
    // Both may sign in again, at a click.
    await page.unroute('**/oidc/authorize?*');
    await retake.hook('sign-in-oidc').click();
    await expect(page).toHaveURL(/\/supervisions$/);
    await page.reload();
    await expect(page).toHaveURL(/\/supervisions$/);
    await expect(retake.hook('sign-in-why')).toHaveCount(0);
    expect(revoked).toHaveLength(1);
  });

  test('tokens that come after another tab has signed out are given up, whatever clocks say', async ({ retake, page, context }) => {
    await retake.signInByProvider('/supervisions');
    const other = new Retake(await context.newPage());
    await other.signInByProvider('/');
    const revoked: string[] = [];
    context.on('request', (request) => {
      if (request.url().endsWith('/oidc/oauth/revoke')) revoked.push(new URLSearchParams(request.postData() ?? '').get('token') ?? '');
    });
    let deliver = (): void => {};
    const delivered = new Promise<void>((done) => (deliver = done));
    const granted = new Promise<string>((done) => {
      void page.route('**/oidc/oauth/token', async (route) => {
        const response = await route.fetch();
        done(((await response.json()) as { refresh_token: string }).refresh_token);
        await delivered;
        await route.fulfill({ response });
      });
    });
    // The clock of this tab is far ahead of that of the other one.
    await page.clock.setSystemTime(Date.now() + 26 * 3_600_000);
    void page.reload();
    const token = await granted;
    await other.page.getByRole('button', { name: /Account and settings/ }).click();
    await other.hook('sign-out').click();
    await expect(other.hook('sign-in-oidc')).toBeVisible();
    deliver();
    await expect(retake.hook('sign-in-why')).toContainText('You signed out in another tab of this browser.');
    await expect.poll(() => revoked).toContain(token);
  });

  test('a sign-out while a tab looks up the provider after a reload keeps it from going there', async ({ retake, page, context }) => {
    await retake.signInByProvider('/supervisions');
    const other = new Retake(await context.newPage());
    await other.signInByProvider('/');
    let describe = (): void => {};
    const described = new Promise<void>((done) => (describe = done));
    await page.route('**/.well-known/openid-configuration', async (route) => {
      await described;
      await route.fallback();
    });
    const asked = page.waitForRequest('**/.well-known/openid-configuration');
    void page.reload();
    await asked;
    await other.page.getByRole('button', { name: /Account and settings/ }).click();
    await other.hook('sign-out').click();
    await expect(other.hook('sign-in-oidc')).toBeVisible();
    let went = 0;
    page.on('request', (request) => {
      if (request.url().includes('/oidc/authorize')) went += 1;
    });
    describe();
    await expect(retake.hook('sign-in-why')).toContainText('You signed out in another tab of this browser.');
    expect(went).toBe(0);
  });

  test('an answer of a provider that config.json no longer names is not taken', async ({ retake, page }) => {
    await page.goto('/supervisions');
    await page.route('**/oidc/authorize?*', async (route) => {
      const response = await route.fetch({ maxRedirects: 0 });
      await configure(page, { issuer: '/oidc-of-another' });
      await route.fulfill({ response });
    });
    const grants: string[] = [];
    page.on('request', (request) => {
      if (request.url().endsWith('/oidc/oauth/token')) grants.push(request.url());
    });
    await retake.hook('sign-in-oidc').click();
    await expect(retake.hook('sign-in-why')).toContainText('provider of this environment has changed meanwhile');
    expect(grants).toEqual([]);
  });

  test('a code is not waited for where its endpoints are out of reach', async ({ retake, page }) => {
    await page.goto('/supervisions');
    await page.route('**/oidc/oauth/device/code', (route) => route.abort());
    await retake.hook('sign-in-device').click();
    await expect(page.locator('main')).toContainText(/device\/code could not be reached \(.+--connect/);
    await page.unroute('**/oidc/oauth/device/code');
    await page.route('**/oidc/oauth/token', (route) => route.abort());
    await retake.hook('sign-in-device').click();
    await expect(retake.hook('device-code')).toBeVisible();
    await expect(page.locator('main')).toContainText(/oauth\/token could not be reached \(.+--connect/, { timeout: 90_000 });
  });

  test('a token endpoint that cannot be reached is named, with what may be wrong', async ({ retake, page, baseURL }) => {
    await page.route('**/oidc/oauth/token', (route) => route.abort());
    await page.goto('/supervisions');
    await retake.hook('sign-in-oidc').click();
    const why = retake.hook('sign-in-why');
    await expect(why).toContainText(/\/oidc\/oauth\/token could not be reached \(.+\)/);
    await expect(why).toContainText(`from ${new URL(baseURL ?? '').origin}`);
    await expect(why).toContainText('--connect');
  });

  test('what renews a session and has ended at the provider leads to sign-in and back', async ({ retake, page, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 2 } });
    const path = `/projects/${batch.projectID}/batches/${batch.batchID}?status=ERROR`;
    await retake.signInByProvider(path);
    await expect(retake.rows).toHaveCount(2);
    await sandbox.expireTokens(true);
    await retake.hook('refresh').click();
    await expect(retake.hook('sign-in-why')).toContainText('Your session has expired');
    await retake.hook('sign-in-oidc').click();
    await expect(page).toHaveURL((url) => url.pathname + url.search === path);
    await expect(retake.rows).toHaveCount(2);
  });

  test('a reload of the sign-in page after the session has ended leads to where the person was', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 2 } });
    const path = `/projects/${batch.projectID}/batches/${batch.batchID}?status=ERROR`;
    await retake.signInByProvider(path);
    await expect(retake.rows).toHaveCount(2);
    await page.route('**/oidc/oauth/token', (route) => route.fulfill({ status: 400, json: { error: 'invalid_grant' } }), { times: 1 });
    await sandbox.fault({ method: 'GET', path_contains: batch.batchID, fault: '401' });
    await page.getByRole('link', { name: /Supervisions/ }).click();
    await page.goBack();
    await expect(retake.hook('sign-in-why')).toContainText('session has expired');
    await expect(page).toHaveURL(/\/sign-in\?to=/);
    await page.reload();
    await expect(page).toHaveURL((url) => url.pathname + url.search === path);
    await expect(retake.rows).toHaveCount(2);
  });

  test('a sign-out whose way to the provider is broken off ends at the sign-in', async ({ retake, page }) => {
    await retake.signInByProvider('/supervisions');
    let asked = 0;
    await page.route('**/oidc/logout*', async (route) => {
      asked += 1;
      await route.abort('aborted');
    });
    await page.getByRole('button', { name: /Account and settings/ }).click();
    await retake.hook('sign-out').click();
    await expect.poll(() => asked).toBe(1);
    await expect(retake.hook('sign-in-oidc')).toBeVisible();
  });

  test('an address that only begins like the provider’s way back leads on to sign-in', async ({ retake, page }) => {
    await page.goto('/callbacks');
    await page.getByRole('link', { name: 'Projects' }).first().click();
    await expect(retake.hook('sign-in-token')).toBeVisible();
  });

  test('a token that cannot be one is refused beside the field', async ({ retake, page }) => {
    await page.goto('/sign-in');
    for (const bad of ['', 'two words', '"quoted"']) {
      await retake.hook('sign-in-token').fill(bad);
      await retake.hook('sign-in-token-submit').click();
      await expect(retake.hook('sign-in-token')).toHaveAttribute('aria-invalid', 'true');
    }
    await expect(page).toHaveURL(/\/sign-in/);
  });

  test('a token that the API refuses leads back to sign-in with the reason', async ({ retake, page }) => {
    await page.goto('/');
    await retake.hook('sign-in-token').fill('expired');
    await retake.hook('sign-in-token-submit').click();
    await expect(retake.hook('sign-in-why')).toContainText('no longer accepts this token');
  });

  test('an expired session leads to sign-in and back; selection and filters are kept', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 20, outcomes: { error: 4 } });
    await retake.openBatch(batch, '?status=ERROR');
    await retake.hook('select-all').click();
    await expect(retake.hook('selected-count')).toHaveText('4');
    await sandbox.fault({ path_contains: batch.batchID, fault: '401', times: 1 });
    await retake.hook('refresh').click();
    await expect(retake.hook('sign-in-why')).toContainText("you'll be back where you were");
    await retake.hook('sign-in-token').fill('fresh');
    await retake.hook('sign-in-token-submit').click();
    await expect(page).toHaveURL(/status=ERROR/);
    await expect(retake.hook('selected-count')).toHaveText('4');
    await expect(retake.rows).toHaveCount(4);
  });

  test('an answer of the provider that nobody asked for is refused', async ({ retake, page }) => {
    await page.goto('/callback?code=stolen&state=guessed&iss=x');
    await expect(retake.hook('sign-in-why')).toContainText('not started in this tab');
  });

  test('the return address is a route of this site, whatever the link says', async ({ retake, page, baseURL }) => {
    for (const to of ['//evil.example', 'https://evil.example', '/\\evil.example', '/\t/evil.example']) {
      await page.goto(`/sign-in?to=${encodeURIComponent(to)}`);
      await retake.hook('sign-in-token').fill('test-token');
      await retake.hook('sign-in-token-submit').click();
      await expect(retake.hook('project-row').first()).toBeVisible();
      expect(new URL(page.url()).origin).toBe(baseURL);
    }
  });

  test('no token is left in any storage of the browser', async ({ retake, page }) => {
    await retake.signIn('/', 'very-secret-token');
    await expect(retake.hook('project-row').first()).toBeVisible();
    const stored = await page.evaluate(() =>
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]),
    );
    expect(stored).not.toContain('very-secret-token');
  });

  test('signing out forgets the session', async ({ retake, page }) => {
    await retake.signIn('/');
    await page.getByRole('button', { name: /Account and settings/ }).click();
    await retake.hook('sign-out').click();
    await expect(page).toHaveURL(/\/sign-in/);
    await page.goto('/supervisions');
    await expect(page).toHaveURL(/\/sign-in/);
  });
});

test.describe('the provider of the sandbox', () => {
  /** Answers of the provider's page, changed on their way back; the last true one is kept. */
  async function changed(page: Page, change: (url: URL) => void): Promise<{ true: string }> {
    const kept = { true: '' };
    await page.route('**/oidc/authorize*', async (route) => {
      const answer = await route.fetch({ maxRedirects: 0 });
      const to = new URL(answer.headers()['location'] ?? '');
      kept.true = to.href;
      change(to);
      await route.fulfill({ response: answer, headers: { ...answer.headers(), location: to.href } });
    });
    return kept;
  }

  /** How often a code was sent for tokens. */
  function exchanges(page: Page): { count: number } {
    const seen = { count: 0 };
    page.on('request', (request) => {
      if (request.url().endsWith('/oidc/oauth/token')) seen.count += 1;
    });
    return seen;
  }

  test('a denial is told, and nobody is signed in', async ({ retake, page }) => {
    const seen = exchanges(page);
    await page.route('**/oidc/authorize*', (route) => route.continue({ url: `${route.request().url()}&login_hint=deny` }));
    await page.goto('/supervisions');
    await retake.hook('sign-in-oidc').click();
    await expect(retake.hook('sign-in-why')).toContainText('refused the sign-in (access_denied)');
    await expect(page).toHaveURL(/\/sign-in\?to=/);
    expect(seen.count).toBe(0);
  });

  for (const [name, change, words] of [
    ['another state', (url: URL) => url.searchParams.set('state', 'x'.repeat(43)), 'not started in this tab'],
    ['another issuer', (url: URL) => url.searchParams.set('iss', 'https://evil.example'), 'Another provider answered'],
  ] as const) {
    test(`an answer with ${name} is refused, and its code never sent, nor the true one after it`, async ({ retake, page }) => {
      const seen = exchanges(page);
      const kept = await changed(page, change);
      await page.goto('/sign-in');
      await retake.hook('sign-in-oidc').click();
      await expect(retake.hook('sign-in-why')).toContainText(words);
      await page.goto(kept.true);
      await expect(retake.hook('sign-in-why')).toContainText('not started in this tab');
      expect(seen.count).toBe(0);
    });
  }

  test('an answer that comes twice is taken once', async ({ retake, page }) => {
    const seen = exchanges(page);
    const kept = await changed(page, () => {});
    await page.goto('/sign-in');
    await retake.hook('sign-in-oidc').click();
    await expect(retake.hook('project-row').first()).toBeVisible();
    await page.goto(kept.true);
    await expect(retake.hook('sign-in-why')).toContainText('not started in this tab');
    expect(seen.count).toBe(1);
  });

  test('a clock that is a day off signs in, and renews, all the same', async ({ retake, page }) => {
    await page.clock.setSystemTime(Date.now() + 26 * 3_600_000);
    await retake.signInByProvider('/');
    await expect(retake.hook('project-row').first()).toBeVisible();
    const renewed = page.waitForResponse((it) => it.url().endsWith('/oidc/oauth/token') && it.status() === 200);
    await page.route('**/v1/projects*', (route) => route.fulfill({ status: 401, json: { message: 'expired' } }), { times: 1 });
    await page.getByRole('link', { name: /Supervisions/ }).click();
    await page.getByRole('link', { name: 'Retake, all projects' }).click();
    await renewed;
    await expect(retake.hook('project-row').first()).toBeVisible();
  });

  test('the lost answer to a renewal is asked for again within the provider\'s overlap, and signs nobody out', async ({ retake, page }) => {
    const asked: { token: string | null; at: number }[] = [];
    await retake.signInByProvider('/');
    await expect(retake.hook('project-row').first()).toBeVisible();
    let first: APIResponse | undefined;
    await page.route('**/oidc/oauth/token', async (route) => {
      asked.push({ token: new URLSearchParams(route.request().postData() ?? '').get('refresh_token'), at: Date.now() });
      if (first) {
        // As a provider with an overlap does: the token before is still taken.
        await route.fulfill({ response: first });
      } else {
        first = await route.fetch();
        // Its answer never comes.
      }
    });
    await page.route('**/v1/projects*', (route) => route.fulfill({ status: 401, json: { message: 'expired' } }), { times: 1 });
    await page.getByRole('link', { name: /Supervisions/ }).click();
    await page.getByRole('link', { name: 'Retake, all projects' }).click();
    await expect(retake.hook('project-row').first()).toBeVisible({ timeout: 60_000 });
    await expect(retake.hook('sign-in-why')).toHaveCount(0);
    expect(asked).toHaveLength(2);
    expect(asked[1]?.token).toBe(asked[0]?.token);
    expect((asked[1]?.at ?? Infinity) - (asked[0]?.at ?? 0), 'milliseconds, of an overlap of 30 s').toBeLessThan(30_000);
  });
});

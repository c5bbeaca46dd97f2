/** The refresh token is out of the reach of page script: a worker keeps it. */
import type { Page } from '@playwright/test';

import { revoked } from '../support/provider.js';
import type { Retake } from '../support/retake.js';
import { expect, signIn, test } from '../support/with-provider.js';

/** Notes everything that crosses between the page, the network and workers, as an injected script could. */
function listen(): void {
  const seen: string[] = [];
  Object.defineProperty(window, 'seenByScript', { value: seen });
  const note = (what: unknown): void => void seen.push(typeof what === 'string' ? what : JSON.stringify(what) ?? '');

  const realFetch = window.fetch.bind(window);
  window.fetch = async (...asked) => {
    const request = new Request(...asked);
    note(request.url);
    note(await request.clone().text());
    const answer = await realFetch(request);
    void answer
      .clone()
      .text()
      .then(note, () => {});
    return answer;
  };

  const realPost = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function (this: Worker, ...said: unknown[]) {
    note(said[0]);
    return (realPost as (...said: unknown[]) => void).apply(this, said);
  };
  const hearing = (listener: unknown) =>
    function (this: unknown, event: Event) {
      if (event instanceof MessageEvent) note(event.data);
      return typeof listener === 'function' ? (listener as (event: Event) => unknown).call(this, event) : undefined;
    };
  for (const type of [Worker, BroadcastChannel, MessagePort]) {
    const real = Object.getOwnPropertyDescriptor(type.prototype, 'onmessage');
    Object.defineProperty(type.prototype, 'onmessage', {
      configurable: true,
      get: real?.get,
      set(this: unknown, listener: unknown) {
        real?.set?.call(this, listener ? hearing(listener) : listener);
      },
    });
  }
  const realAdd = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function (this: EventTarget, type: string, listener: unknown, ...more: unknown[]) {
    const heard = type === 'message' ? hearing(listener) : listener;
    return (realAdd as (...all: unknown[]) => void).call(this, type, heard, ...more);
  } as typeof realAdd;
}

const seenByScript = (page: Page): Promise<string> =>
  page.evaluate(() => (window as unknown as { seenByScript: string[] }).seenByScript.join('\n'));

/** Which of these texts stand in the memory of the app's module. */
async function inMemory(page: Page, texts: string[]): Promise<boolean[]> {
  return page.evaluate(async (texts) => {
    const src = document.querySelector<HTMLLinkElement>('link[rel=modulepreload]')?.href ?? '';
    const app = (await import(src)) as { default: () => Promise<{ memory: WebAssembly.Memory }> };
    // Started already, so this gives what runs.
    const { memory } = await app.default();
    const text = new TextDecoder('latin1').decode(memory.buffer);
    return texts.map((it) => text.includes(it));
  }, texts);
}

test.describe('the refresh token', () => {
  test.use({ lifetimes: { access: 16, refresh: 86_400 } });

  test('is never seen by page script, nor in the memory of the app; it renews, rotates and is revoked', async ({ retake, page, provider }) => {
    await page.addInitScript(listen);
    await signIn(retake);
    await expect(retake.hook('project-row').first()).toBeVisible();
    expect(page.workers().map((it) => new URL(it.url()).pathname)).toContain('/keeper.js');
    const check = async (): Promise<void> => {
      const found: boolean[] = [];
      // The search would find it: the access token, which came by the same way,
      // is there, unless it is renewed in this moment.
      await expect
        .poll(async () => {
          const newest = provider.given.at(-1);
          const [access, refresh] = [newest?.access_token ?? '-', newest?.refresh_token ?? '-'];
          const memory = await inMemory(page, [access, refresh, refresh.slice(0, 20), refresh.slice(-20)]);
          found.push(...memory.slice(1));
          return [memory[0], (await seenByScript(page)).includes(access)];
        })
        .toEqual([true, true]);
      expect(found).not.toContain(true);
      const seen = await seenByScript(page);
      for (const { refresh_token: token } of provider.given) {
        for (const piece of [token, token.slice(0, 20), token.slice(-20)]) expect(seen).not.toContain(piece);
      }
    };
    await check();
    expect(await seenByScript(page)).toContain('"act":"grant"');

    await expect.poll(() => provider.given.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(3);
    await check();
    expect(await seenByScript(page)).toContain('"act":"renew"');
    expect(provider.grants.every((it) => it.status === 200)).toBe(true);
    const all = provider.given.map((it) => it.refresh_token);
    expect(new Set(all).size, 'each renewal gave another').toBe(all.length);

    await page.getByRole('button', { name: /Account and settings/ }).click();
    await expect(retake.hook('token-expiry')).toContainText('renewed by itself');
    await expect(retake.hook('token-expiry')).not.toContainText('no worker');
    await retake.hook('sign-out').click();
    await page.getByRole('button', { name: /Yes, sign me out/ }).click();
    await expect(page).toHaveURL(/\/sign-in$/);
    // The newest; one that a renewal brought in the moment of the sign-out, too.
    expect(revoked(provider)).toContain(provider.given.at(-1)?.refresh_token);
  });

  test('stays with the page where no worker starts, and the menu says so', async ({ retake, page, provider }) => {
    await page.route('**/keeper.js', (route) => route.abort());
    await signIn(retake);
    await page.getByRole('button', { name: /Account and settings/ }).click();
    await expect(retake.hook('token-expiry')).toContainText('This browser started no worker');
    // It is renewed and revoked all the same, and the search of the test above finds it here.
    const newest = () => provider.given.at(-1)?.refresh_token ?? '-';
    expect(await inMemory(page, [newest()])).toEqual([true]);
    await expect.poll(() => provider.given.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(2);
    expect(provider.grants.every((it) => it.status === 200)).toBe(true);
    await retake.hook('sign-out').click();
    await page.getByRole('button', { name: /Yes, sign me out/ }).click();
    expect(revoked(provider)).toEqual([newest()]);
  });
});

for (const worker of [true, false]) {
  const where = worker ? '' : ', also where no worker starts';

  test(`a refresh token that came with an answer for another sign-in is revoked at once${where}`, async ({ retake, page, provider }) => {
    if (!worker) await page.route('**/keeper.js', (route) => route.abort());
    await page.route(`${provider.issuer}/token`, async (route) => {
      const answer = await route.fetch();
      const given = (await answer.json()) as { id_token: string };
      const [head, middle = '', tail] = given.id_token.split('.');
      const claims = JSON.parse(Buffer.from(middle, 'base64url').toString()) as Record<string, unknown>;
      const changed = Buffer.from(JSON.stringify({ ...claims, nonce: 'another' })).toString('base64url');
      await route.fulfill({ response: answer, json: { ...given, id_token: [head, changed, tail].join('.') } });
    });
    await signIn(retake, '/', /\/sign-in/);
    await expect(retake.hook('sign-in-why')).toContainText('belongs to another sign-in');
    await expect.poll(() => revoked(provider)).toEqual([provider.given[0]?.refresh_token]);
  });
}

/** The session expires: the API refuses its token, and the one that a renewal brings. */
async function expire(retake: Retake): Promise<void> {
  const { page } = retake;
  await expect(retake.hook('project-row').first()).toBeVisible();
  await page.route('**/v1/projects*', (route) => route.fulfill({ status: 401, json: { message: 'expired' } }), { times: 2 });
  await page.getByRole('link', { name: /Supervisions/ }).click();
  await page.getByRole('link', { name: 'Retake, all projects' }).click();
  await expect(retake.hook('sign-in-why')).toContainText('session has expired');
}

test.describe('a sign-in over an expired session revokes what renewed that one', () => {
  for (const worker of [true, false]) {
    const where = worker ? 'kept by the worker' : 'in the hands of the page';

    test(`by a pasted token; ${where}`, async ({ retake, page, provider }) => {
      if (!worker) await page.route('**/keeper.js', (route) => route.abort());
      await signIn(retake);
      await expire(retake);
      expect(revoked(provider)).toEqual([]);
      // The provider does not answer that; the sign-in does not wait for it.
      let asked = '';
      await page.route(`${provider.issuer}/token/revocation`, (route) => {
        asked = route.request().postData() ?? '';
      });
      await retake.hook('sign-in-token').fill('fresh');
      await retake.hook('sign-in-token-submit').click();
      await expect(retake.hook('project-row').first()).toBeVisible({ timeout: 5_000 });
      await expect.poll(() => new URLSearchParams(asked).get('token')).toBe(provider.given[1]?.refresh_token);
      // A sign-out says what the provider may not know.
      await page.getByRole('button', { name: /Account and settings/ }).click();
      await retake.hook('sign-out').click();
      await expect(retake.hook('sign-in-why')).toContainText('The provider could not be told of the sign-out');
    });

    test(`by the provider; ${where}`, async ({ retake, page, provider }) => {
      if (!worker) await page.route('**/keeper.js', (route) => route.abort());
      await signIn(retake);
      await expire(retake);
      const [, lost] = provider.given;
      // It takes its time; were that to come after the new sign-in, it would end what that gave.
      provider.slow.revocationMs = 1_500;
      await retake.hook('sign-in-oidc').click();
      // The provider knows the person still; with the token it gave up their consent.
      await page.getByRole('button', { name: 'Continue' }).click();
      await expect(retake.hook('project-row').first()).toBeVisible();
      expect(provider.given).toHaveLength(3);
      expect(revoked(provider)).toEqual([lost?.refresh_token]);
      // What the new sign-in gave is not touched by that.
      await page.route('**/v1/projects*', (route) => route.fulfill({ status: 401, json: { message: 'expired' } }), { times: 1 });
      await page.getByRole('link', { name: /Supervisions/ }).click();
      await page.getByRole('link', { name: 'Retake, all projects' }).click();
      await expect(retake.hook('project-row').first()).toBeVisible();
      expect(provider.grants.at(-1)).toMatchObject({ grant_type: 'refresh_token', status: 200 });
    });

    test(`as far as the provider answers within three seconds; ${where}`, async ({ retake, page, provider }) => {
      if (!worker) await page.route('**/keeper.js', (route) => route.abort());
      await signIn(retake);
      await expire(retake);
      let asked = 0;
      // Never answered.
      await page.route(`${provider.issuer}/token/revocation`, () => void (asked = Date.now()));
      await retake.hook('sign-in-oidc').click();
      await expect(retake.hook('project-row').first()).toBeVisible({ timeout: 15_000 });
      expect(provider.given).toHaveLength(3);
      const waited = (provider.grants.at(-1)?.at ?? 0) - asked;
      expect(waited).toBeGreaterThanOrEqual(2_900);
      expect(waited).toBeLessThan(8_000);
      // The page that asked is gone; a sign-out says all the same what nobody knows.
      await page.unroute(`${provider.issuer}/token/revocation`);
      await page.getByRole('button', { name: /Account and settings/ }).click();
      await retake.hook('sign-out').click();
      await page.getByRole('button', { name: /Yes, sign me out/ }).click();
      await expect(retake.hook('sign-in-why')).toContainText('The provider could not be told of the sign-out');
    });
  }
});

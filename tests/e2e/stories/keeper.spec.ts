/** The refresh token is out of the reach of page script: a worker keeps it. */
import type { Page } from '@playwright/test';

import { revoked } from '../support/provider.js';
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

test('a refresh token that came with an answer for another sign-in is revoked at once', async ({ retake, page, provider }) => {
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

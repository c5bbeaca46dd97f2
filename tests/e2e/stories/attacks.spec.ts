/**
 * Links that an attacker sends and names that a stranger typed, in a browser.
 * The decisions are tested natively, with hundreds of cases
 * (core/tests/attacks.rs); here some of each kind go through the whole app.
 */
import type { Page } from '@playwright/test';

import { expect, test } from '../support/retake.js';

/** What a page asks for, other than files and reads of its own site. */
function watch(page: Page, baseURL: string): { elsewhere: string[]; acts: string[]; dialogs: string[] } {
  const seen = { elsewhere: [] as string[], acts: [] as string[], dialogs: [] as string[] };
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== baseURL) seen.elsewhere.push(request.url());
    if (!['GET', 'HEAD', 'OPTIONS'].includes(request.method())) seen.acts.push(`${request.method()} ${request.url()}`);
  });
  page.on('dialog', (dialog) => {
    seen.dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  page.on('popup', (popup) => seen.elsewhere.push(popup.url()));
  return seen;
}

const RETURNS = [
  '//evil.example',
  '///evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  '/%09/evil.example',
  'https://evil.example',
  'https:evil.example',
  'HTTPS:\\\\evil.example',
  'javascript:alert(1)',
  'java\nscript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  '//user@evil.example',
  '/../..//evil.example',
  '/callback?code=x&state=y',
  '/sign-in?to=//evil.example',
  `/${'x'.repeat(3000)}`,
];

const DEEP_LINKS = [
  '?supervise=1&attempts=5&start=true',
  '?rerun=all&confirm=1',
  '?api=https://evil.example/v1/&issuer=https://evil.example',
  '?token=stolen&access_token=stolen',
  '?environment=evil&client_id=evil&config=https://evil.example/config.json',
  '?max-rerun-attempts=99&poll-every=1s#supervise-start',
  '?open=javascript:alert(1)',
  '?status=<script>alert(1)</script>',
  '?q=%3Cimg%20src=x%20onerror=alert(1)%3E',
  '?sort=__proto__&tag=constructor',
  '#confirm',
  '#/../../evil',
];

const NAMES = [
  '<img src=x onerror=alert(1)>',
  '"><script>alert(1)</script>',
  "'-alert(1)-'",
  '{{constructor.constructor("alert(1)")()}}',
  '=HYPERLINK("https://evil.example","x")',
  "$(reboot) `reboot` ; rm -rf ~ '",
  '\u202ecod.exe\u2066x',
  '\u001b]8;;https://evil.example\u0007x',
  '[x](javascript:alert(1)) |x|',
  `${'a'.repeat(4000)}<b>`,
];

test.describe('attacks', () => {
  test('no return address of a link leads off the site', async ({ retake, page, baseURL }) => {
    test.setTimeout(120_000);
    const seen = watch(page, baseURL ?? '');
    for (const to of RETURNS) {
      await page.goto(`/sign-in?to=${encodeURIComponent(to)}`);
      await retake.hook('sign-in-token').fill('test-token');
      await retake.hook('sign-in-token-submit').click();
      // Signed in, and somewhere on this site.
      await expect(page.getByRole('button', { name: /Account and settings/ })).toBeVisible();
      expect(new URL(page.url()).origin, to).toBe(baseURL);
      expect(new URL(page.url()).pathname, to).not.toMatch(/^\/(sign-in|callback)/);
    }
    expect(seen).toEqual({ elsewhere: [], acts: [], dialogs: [] });
  });

  test('no link acts or moves the API: it only shows', async ({ retake, page, sandbox, baseURL }) => {
    test.setTimeout(120_000);
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 2 } });
    const seen = watch(page, baseURL ?? '');
    for (const link of DEEP_LINKS) {
      const [query = '', hash = ''] = link.split('#');
      // Another fragment alone would not load the page anew.
      await page.goto('about:blank');
      await page.goto(`/projects/${batch.projectID}/batches/${batch.batchID}${query}${hash && `#${hash}`}`);
      // Each of these loads the page anew, which forgets a pasted token.
      await retake.hook('sign-in-token').fill('test-token');
      await retake.hook('sign-in-token-submit').click();
      await expect(retake.hook('row-count'), link).toHaveText(/ of 12 tests$/);
      await expect(retake.hook('supervise-start'), link).toBeVisible();
      await expect(page.getByRole('dialog'), link).toHaveCount(0);
      await expect(page.locator('main img[src=x], main script')).toHaveCount(0);
    }
    expect(seen).toEqual({ elsewhere: [], acts: [], dialogs: [] });
    expect(await sandbox.reruns(batch)).toEqual([]);
  });

  test('a name is text in the table, the title, the notification, the copy', async ({ retake, page, sandbox, baseURL, context }) => {
    test.setTimeout(180_000);
    await context.grantPermissions(['clipboard-read', 'clipboard-write', 'notifications']);
    await page.addInitScript(() => {
      const said: string[] = [];
      (window as unknown as { said: string[] }).said = said;
      class Notice {
        static permission = 'granted';
        static requestPermission = async () => 'granted';
        constructor(title: string, options?: { body?: string }) {
          said.push(title, options?.body ?? '');
        }
      }
      Object.defineProperty(window, 'Notification', { value: Notice });
    });
    const seen = watch(page, baseURL ?? '');
    for (const name of NAMES) {
      const batch = await sandbox.batch({ tests: 12, outcomes: { warning: 1 } }, name);
      await page.goto(`/projects/${batch.projectID}`);
      await retake.hook('sign-in-token').fill('test-token');
      await retake.hook('sign-in-token-submit').click();
      const row = retake.hook('batch-row').filter({ has: page.locator(`a[href$="${batch.batchID}"]`) });
      await expect(row.first()).toBeVisible();
      await row.first().getByRole('link').first().click();
      await expect(retake.hook('row-count')).toHaveText(/ of 12 tests$/);
      await retake.supervise({ 'poll-every': '1s', 'max-rerun-attempts': '0' });
      await retake.verdict().toBe(8, 'fail');
      const hidden = /[\u0000-\u001f\u007f\u202a-\u202e\u2066-\u2069]/;
      expect(await page.title(), name).not.toMatch(hidden);
      const said = await page.evaluate(() => (window as unknown as { said: string[] }).said);
      expect(said.length, 'a notification told the end').toBeGreaterThan(0);
      for (const words of said) expect(words, name).not.toMatch(hidden);
      for (const button of await retake.hook('verdict').getByRole('button', { name: /Copy/ }).all()) {
        await button.click();
        const copied = await page.evaluate(() => navigator.clipboard.readText());
        expect(copied.replace(/\n/g, ''), name).not.toMatch(hidden);
      }
      await expect(page.locator('main img[src=x], main script, main b:has-text("<b>")')).toHaveCount(0);
    }
    expect(seen).toEqual({ elsewhere: [], acts: [], dialogs: [] });
  });
});

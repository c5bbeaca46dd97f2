/** Tests that sign in by a certified provider, one of their own each. */
import type { Page } from '@playwright/test';

import { CLIENT, startProvider, type Lifetimes, type Running } from './provider.js';
import { expect, test as base, type Retake } from './retake.js';

export { expect };

/** Makes the site of a page, or of a whole browser, one that signs in by this provider. */
export async function configureFor(target: Pick<Page, 'route'>, provider: Running): Promise<void> {
  await target.route('**/config.json', (route) =>
    route.fulfill({
      json: {
        environments: [
          { name: 'Certified', api: '/v1/', issuer: provider.issuer, client_id: CLIENT, min_poll_every: '1s' },
        ],
      },
    }),
  );
}

export const test = base.extend<{ lifetimes: Lifetimes; provider: Running }>({
  lifetimes: [{ access: 3600, refresh: 86_400 }, { option: true }],
  /** The provider, and a site that is configured for it. */
  provider: async ({ page, baseURL, lifetimes }, use, info) => {
    const ports = (process.env['RETAKE_PROVIDERS'] ?? '').split(',').map(Number);
    const port = ports[info.parallelIndex];
    if (!port) throw new Error('cargo xtask test --only e2e says where providers may be (RETAKE_PROVIDERS)');
    const provider = await startProvider(baseURL ?? '', port, lifetimes);
    await configureFor(page, provider);
    await use(provider);
    await provider.close();
  },
});

/** Fills in the provider's own pages. */
export async function signInThere(page: Page, account = 'qa-lead'): Promise<void> {
  await page.locator('input[name=login]').fill(account);
  await page.locator('input[name=password]').fill('any');
  await page.getByRole('button', { name: 'Sign-in' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
}

/** Signs in at `path`, and ends there, or at an address of this form. */
export async function signIn(retake: Retake, path = '/', ends?: RegExp): Promise<void> {
  await retake.page.goto(path);
  await retake.hook('sign-in-oidc').click();
  await signInThere(retake.page);
  await expect(retake.page).toHaveURL(ends ?? ((url) => url.pathname + url.search === path));
}

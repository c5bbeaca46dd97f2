/** The page as the tests see it, and the fixtures that they share. */
import { test as base, expect, type BrowserContext, type Locator, type Page } from '@playwright/test';

import { COUNTS } from './ledger.js';
import { Sandbox, type Batch } from './sandbox.js';

export { expect };
export type { Batch };

export class Retake {
  constructor(readonly page: Page) {}

  get rows(): Locator {
    return this.page.getByTestId('job-row');
  }

  row(name: string | RegExp): Locator {
    return this.rows.filter({ hasText: name });
  }

  chip(word: string): Locator {
    return this.page.getByTestId(`status-chip-${word}`);
  }

  /** A tag in the menu of tags. */
  tag(id: string | undefined): Locator {
    return this.page.locator(`[data-testid="tag-option"][data-tag-id="${id}"]`);
  }

  /** The IDs of the rows on screen, in order. */
  async shown(): Promise<(string | undefined)[]> {
    return this.rows.evaluateAll((rows) => rows.map((row) => row.dataset['jobId']));
  }

  hook(name: string): Locator {
    return this.page.getByTestId(name);
  }

  field(name: string): Locator {
    return this.page.locator(`[name="${name}"]`);
  }

  /** Signs in with a pasted token and ends at `path`. */
  async signIn(path = '/', token = 'test-token'): Promise<void> {
    await this.page.goto(path);
    await this.hook('sign-in-token').fill(token);
    await this.hook('sign-in-token-submit').click();
    await expect(this.page).toHaveURL((url) => url.pathname + url.search === path);
  }

  /** Signs in by the provider and ends at `path`. Where the browser was signed in so, a new tab needs no click. */
  async signInByProvider(path = '/'): Promise<void> {
    await this.page.goto(path);
    const door = this.hook('sign-in-oidc');
    await door.or(this.page.getByRole('button', { name: /Account and settings/ })).first().waitFor();
    if (await door.isVisible()) await door.click();
    await expect(this.page).toHaveURL((url) => url.pathname + url.search === path);
  }

  /** As on a computer that is busy: what is to be done next is done 400 ms later. */
  async isBusy(): Promise<void> {
    await this.page.addInitScript(() => {
      const real = window.setTimeout.bind(window);
      const late = (act: () => void, ms?: number) => real(act, ms ? ms : 400);
      Object.assign(window, { setTimeout: late });
    });
  }

  async openBatch(batch: Batch, query = ''): Promise<void> {
    await this.signIn(`/projects/${batch.projectID}/batches/${batch.batchID}${query}`);
    await expect(this.hook('row-count')).toHaveText(/ of [\d,]+ tests?$/);
  }

  /** Starts to supervise with these parameters; the rest stays as it is. */
  async supervise(fields: Record<string, string>): Promise<void> {
    await this.fillPolicy(fields);
    await this.hook('supervise-start').click();
  }

  /** Sets these parameters, without starting. */
  async fillPolicy(fields: Record<string, string>): Promise<void> {
    // On a small screen the panel is folded away until it is wanted.
    const panel = this.page.locator('details.supervise');
    await panel.waitFor();
    if ((await panel.getAttribute('open')) === null) {
      await panel.getByRole('heading', { name: 'Supervise' }).click();
    }
    for (const [name, value] of Object.entries(fields)) {
      await this.field(name).fill(value);
    }
  }

  /** The verdict, once it is there. */
  verdict(timeout = 45_000): {
    toBe: (code: number, outcome: string) => Promise<void>;
  } {
    const card = this.hook('verdict').first();
    return {
      toBe: async (code, outcome) => {
        await expect(card).toHaveAttribute('data-exit-code', String(code), { timeout });
        await expect(card).toHaveAttribute('data-outcome', outcome);
      },
    };
  }
}

/** Holds the answers to requests of such an address back, until it is told to let them on. */
export async function heldBack(page: Page, address: RegExp): Promise<() => void> {
  let letOn = (): void => undefined;
  const opened = new Promise<void>((done) => (letOn = done));
  await page.route(address, async (route) => {
    await opened;
    await route.continue();
  });
  return () => {
    letOn();
  };
}

/** How the report of a violation of the content security policy begins. */
const VIOLATION = 'Violation of the content security policy';

/**
 * Collects what goes wrong in any page of a context, and in its workers: errors in
 * the console, what nobody caught, what the content security policy refused.
 */
export async function watch(context: BrowserContext, provoked?: RegExp): Promise<string[]> {
  const wrong: string[] = [];
  // Not every refusal is written to the console by the browser itself.
  await context.addInitScript((begin) => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`${begin}: ${event.effectiveDirective} refused ${event.blockedURI} ${event.sample}`);
    });
  }, VIOLATION);
  context.on('weberror', (error) => {
    const words = String(error.error());
    if (provoked?.test(words) !== true) wrong.push(words);
  });
  context.on('console', (message) => {
    const text = message.text();
    const expected =
      text.startsWith('Failed to load resource') ||
      text.includes('net::ERR_') ||
      provoked?.test(text) === true;
    if (message.type() === 'error' && !expected) wrong.push(text);
  });
  return wrong;
}

/** Every test fails if a page throws or the browser reports a violation. */
export const test = base.extend<{
  retake: Retake;
  sandbox: Sandbox;
  /** What the browser may say in the console, or nobody catch, where a scenario provokes it. */
  provoked: RegExp | undefined;
  calm: undefined;
}>({
  provoked: [undefined, { option: true }],
  sandbox: async ({ request }, use, testInfo) => {
    const sandbox = new Sandbox(request);
    await use(sandbox);
    // However it ended: another attempt must not hide what this one sent.
    testInfo.annotations.push({ type: COUNTS, description: JSON.stringify(await sandbox.counts()) });
  },
  retake: async ({ page }, use) => {
    await use(new Retake(page));
  },
  calm: [
    async ({ context, provoked }, use) => {
      const wrong = await watch(context, provoked);
      await use(undefined);
      expect(wrong, 'errors in the console').toEqual([]);
    },
    { auto: true },
  ],
});

import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { expect, test, type Retake } from '../support/retake.js';
import type { Sandbox } from '../support/sandbox.js';

interface Scene {
  name: string;
  show: (retake: Retake, sandbox: Sandbox, page: Page) => Promise<void>;
}

/** A rerun that the platform makes wait, seen waiting. */
async function rerunThatWaits(retake: Retake, sandbox: Sandbox): Promise<void> {
  const batch = await sandbox.batch({ tests: 20, outcomes: { error: 2 } });
  await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '409', times: 9 });
  await retake.openBatch(batch);
  await retake.hook('select-failed').click();
  await retake.hook('rerun-selected').click();
  await retake.hook('confirm').click();
  await expect(retake.hook('rerun-waiting')).toContainText('The platform is cleaning up');
}

const SCENES: Scene[] = [
  {
    name: 'sign-in',
    show: async (_retake, _sandbox, page) => {
      await page.goto('/sign-in');
      await expect(page.getByTestId('sign-in-token')).toBeVisible();
    },
  },
  {
    name: 'projects',
    show: async (retake) => {
      await retake.signIn('/');
      await expect(retake.hook('project-row').first()).toBeVisible();
    },
  },
  {
    name: 'batches',
    show: async (retake) => {
      await retake.signIn('/projects/Warehouse%20robots');
      await expect(retake.hook('batch-row').first()).toBeVisible();
    },
  },
  {
    name: 'batch',
    show: async (retake, sandbox) => {
      const batch = await sandbox.batch({ tests: 60, outcomes: { error: 4, blocker: 3, warning: 2 } });
      await retake.openBatch(batch);
      await retake.hook('select-failed').click();
      await expect(retake.hook('selected-count')).toHaveText('9');
    },
  },
  {
    name: 'tags',
    show: async (retake, sandbox) => {
      const batch = await sandbox.batch({ tests: 60, outcomes: { error: 4 } });
      const tags = await sandbox.tags(batch.projectID);
      await retake.openBatch(batch);
      await retake.hook('tag-filter').click();
      await retake.tag(tags.get('night')).click();
      await retake.tag(tags.get('hardware: lidar v3')).click();
      await expect(retake.hook('row-count')).toHaveText(/ of 60 tests$/);
    },
  },
  {
    name: 'drawer',
    show: async (retake, sandbox) => {
      const batch = await sandbox.batch({ tests: 20, outcomes: { error: 2 } });
      await retake.openBatch(batch);
      await retake.rows.first().locator('.row__name').click();
      await expect(retake.hook('test-drawer')).toContainText('Run 1');
    },
  },
  {
    name: 'confirmation',
    show: async (retake, sandbox) => {
      const batch = await sandbox.batch({ tests: 20, outcomes: { error: 2 } });
      await retake.openBatch(batch);
      await retake.hook('select-failed').click();
      await retake.hook('rerun-selected').click();
      await expect(retake.hook('confirm')).toBeVisible();
    },
  },
  {
    name: 'rerun-waits',
    show: async (retake, sandbox) => rerunThatWaits(retake, sandbox),
  },
  {
    name: 'rerun-elsewhere',
    show: async (retake, sandbox, page) => {
      await rerunThatWaits(retake, sandbox);
      await page.getByRole('link', { name: /Supervisions/ }).click();
      await expect(retake.hook('own-rerun')).toHaveCount(1);
      await expect(retake.hook('reruns-behind')).toBeVisible();
    },
  },
  {
    name: 'rerun-refused',
    show: async (retake, sandbox) => {
      const batch = await sandbox.batch({ tests: 20, outcomes: { error: 2 } });
      await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '403', times: 1 });
      await retake.openBatch(batch);
      await retake.hook('select-failed').click();
      await retake.hook('rerun-selected').click();
      await retake.hook('confirm').click();
      await expect(retake.hook('rerun-refused')).toBeVisible();
    },
  },
  {
    name: 'cancel',
    show: async (retake, sandbox) => {
      const batch = await sandbox.batch({ tests: 20, start: 'running', hang: true });
      await retake.openBatch(batch);
      await retake.hook('cancel-batch').click();
      await expect(retake.hook('confirm')).toBeVisible();
    },
  },
  {
    name: 'keys',
    show: async (retake, sandbox, page) => {
      await retake.openBatch(await sandbox.batch({ tests: 20 }));
      await page.locator('body').press('?');
      await expect(page.getByRole('dialog', { name: 'Keyboard' })).toBeVisible();
    },
  },
  {
    name: 'account',
    show: async (retake, _sandbox, page) => {
      await retake.signIn('/');
      await page.getByRole('button', { name: /Account and settings/ }).click();
      await expect(retake.hook('sign-out')).toBeVisible();
    },
  },
  {
    name: 'supervising',
    show: async (retake, sandbox) => {
      const batch = await sandbox.batch({ tests: 20, start: 'running', hang: true });
      await retake.openBatch(batch);
      await retake.supervise({ 'poll-every': '1s' });
      await expect(retake.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');
    },
  },
  {
    name: 'verdict',
    show: async (retake, sandbox) => {
      const batch = await sandbox.batch({ tests: 20, outcomes: { blocker: 2 } });
      await retake.openBatch(batch);
      await retake.supervise({ 'poll-every': '1s', 'max-rerun-attempts': '0' });
      await retake.verdict().toBe(7, 'fail');
    },
  },
  {
    name: 'supervisions',
    show: async (retake, sandbox, page) => {
      const batch = await sandbox.batch({ tests: 12, outcomes: { warning: 1 } });
      await retake.openBatch(batch);
      await retake.supervise({ 'poll-every': '1s', 'max-rerun-attempts': '0' });
      await retake.verdict().toBe(8, 'fail');
      await page.getByRole('link', { name: /Supervisions/ }).click();
      await expect(retake.hook('supervision-row')).toHaveCount(1);
    },
  },
  {
    name: 'stopped',
    show: async (retake, sandbox) => {
      const batch = await sandbox.batch({ tests: 12, start: 'running', hang: true });
      await retake.openBatch(batch);
      await retake.supervise({ 'poll-every': '1s' });
      await retake.hook('supervise-stop').click();
      await expect(retake.hook('supervise-stopped')).toContainText('Stopped by hand');
    },
  },
  {
    name: 'sign-in-failed',
    show: async (_retake, _sandbox, page) => {
      await page.goto('/callback?error=access_denied&error_description=No&state=unknown');
      await expect(page.getByRole('alert').first()).toBeVisible();
    },
  },
  {
    name: 'not-found',
    show: async (_retake, _sandbox, page) => {
      await page.goto('/no/such/page');
      await expect(page.getByRole('heading', { name: 'No such page' })).toBeVisible();
    },
  },
  {
    name: 'broken-configuration',
    show: async (_retake, _sandbox, page) => {
      await page.route('**/config.json', (route) => route.fulfill({ json: { environments: [{ name: 'X' }] } }));
      await page.goto('/');
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    },
  },
  {
    name: 'errors',
    show: async (retake, sandbox, page) => {
      const project = await sandbox.project('fault: 500');
      await retake.signIn(`/projects/${project}`);
      await expect(page.locator('.notice[data-tone=error]').first()).toBeVisible({ timeout: 30_000 });
    },
  },
];

for (const scheme of ['light', 'dark'] as const) {
  for (const width of [1440, 768, 390]) {
    test.describe(`${scheme}, ${width} px @a11y`, () => {
      test.use({ colorScheme: scheme, viewport: { width, height: 900 } });
      for (const scene of SCENES) {
        test(scene.name, async ({ retake, sandbox, page }, info) => {
          await scene.show(retake, sandbox, page);
          await page.screenshot({ path: info.outputPath(`${scene.name}-${scheme}-${width}.png`) });
          const overflow = await page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
          );
          expect(overflow, 'the page is wider than the screen').toBeLessThanOrEqual(0);
          const { violations } = await new AxeBuilder({ page })
            .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
            .analyze();
          expect(violations.map((it) => `${it.id}: ${it.nodes.map((node) => node.target.join(' ')).join(', ')}`)).toEqual([]);
        });
      }
    });
  }
}

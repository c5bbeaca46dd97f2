/** That a test which passes when it is repeated hides no rerun too many. */
import { readFileSync } from 'node:fs';

import { expect, test } from '@playwright/test';
import type { FullResult, TestCase, TestResult } from '@playwright/test/reporter';

import { merged, type Figure } from '../support/figures.js';
import { COUNTS, MISCOUNTED, unforgiven, type Attempt } from '../support/ledger.js';
import LedgerReporter from '../support/reporter.js';

const attempt = (passed: boolean, posts: number | null, miscounted: string[] = []): Attempt => ({
  passed,
  counts: posts === null ? null : [{ posts, applied: posts }],
  miscounted,
});

test('a slow attempt is forgiven, one that sent too much is not', () => {
  const cases: [string, Attempt[], number][] = [
    ['passed at once', [attempt(true, 1)], 0],
    ['stopped before the rerun', [attempt(false, 0), attempt(true, 1)], 0],
    ['stopped after the rerun', [attempt(false, 1), attempt(true, 1)], 0],
    ['sent one too many, and failed otherwise', [attempt(false, 2), attempt(true, 1)], 2],
    ['counted wrongly', [attempt(false, 1, ['2 POSTs at the server, not 1']), attempt(true, 1)], 1],
    ['nobody counted', [attempt(false, null), attempt(true, 1)], 1],
    ['failed twice: red anyway', [attempt(false, 2), attempt(false, 2)], 0],
    ['failed twice, counted wrongly once', [attempt(false, 2, ['2, not 1']), attempt(false, 1)], 1],
  ];
  for (const [what, attempts, lines] of cases) expect(unforgiven(attempts), what).toHaveLength(lines);
});

test('applied reruns are compared as well, and batches that the good attempt does not have', () => {
  const good: Attempt = { passed: true, counts: [{ posts: 2, applied: 1 }], miscounted: [] };
  expect(unforgiven([{ passed: false, counts: [{ posts: 2, applied: 2 }], miscounted: [] }, good])).toHaveLength(1);
  const more: Attempt = { passed: false, counts: [{ posts: 2, applied: 1 }, { posts: 1, applied: 0 }], miscounted: [] };
  expect(unforgiven([more, good])).toHaveLength(1);
});

/** Files that a run reads and leaves. */
interface Files {
  figures?: string;
  told?: string;
  earlier?: string;
}

/** What a reporter makes of a test whose attempts ended so. */
async function verdictOn(attempts: Attempt[], files: Files = {}): Promise<FullResult['status'] | undefined> {
  // The run that this test is part of has files of its own.
  const settings = { RETAKE_FIGURES: files.figures, RETAKE_TOLD: files.told, RETAKE_EARLIER: files.earlier };
  const before = { ...process.env };
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  try {
    const reporter = new LedgerReporter();
    const title = '07 a test';
    const it = {
      id: 'x',
      title,
      expectedStatus: 'passed',
      location: { file: '/somewhere/chaos/x.spec.ts', line: 7 },
      titlePath: () => ['', '', 'chaos/x.spec.ts', title],
    } as unknown as TestCase;
    for (const { passed, counts, miscounted } of attempts) {
      const annotations = miscounted.map((description) => ({ type: MISCOUNTED, description }));
      if (counts) annotations.push({ type: COUNTS, description: JSON.stringify(counts) });
      const error = passed ? undefined : { message: 'too \u001b[31mslow\u001b[0m' };
      reporter.onTestEnd(it, { status: passed ? 'passed' : 'timedOut', annotations, error } as unknown as TestResult);
    }
    return (await reporter.onEnd({ status: 'passed' } as FullResult))?.status;
  } finally {
    for (const name of Object.keys(settings)) delete process.env[name];
    Object.assign(process.env, before);
  }
}

test('a run tells which tests failed and why, and the last attempt alone is judged with the earlier ones', async ({}, testInfo) => {
  const told = testInfo.outputPath('told.json');
  const earlier = testInfo.outputPath('earlier.json');
  await verdictOn([attempt(false, 2), attempt(false, 1)], { told: earlier });
  expect(JSON.parse(readFileSync(earlier, 'utf8'))).toEqual({
    failed: [
      { id: 'x', where: 'chaos/x.spec.ts:7 07 a test', why: 'too slow', attempts: [attempt(false, 2), attempt(false, 1)] },
    ],
    unforgiven: [],
  });
  expect(await verdictOn([attempt(true, 1)]), 'alone, without what came before').toBeUndefined();
  expect(await verdictOn([attempt(true, 1)], { told, earlier })).toBe('failed');
  expect(JSON.parse(readFileSync(told, 'utf8'))).toMatchObject({
    failed: [],
    unforgiven: [expect.stringContaining('07 a test: '), expect.stringContaining('07 a test: ')],
  });
});

test('a run with a hidden count fails, and its figures say so', async ({}, testInfo) => {
  expect(await verdictOn([attempt(false, 0), attempt(true, 1)])).toBeUndefined();
  const file = testInfo.outputPath('figures.json');
  expect(await verdictOn([attempt(false, 2), attempt(true, 1)], { figures: file })).toBe('failed');
  const { figures } = JSON.parse(readFileSync(file, 'utf8')) as { figures: Figure[] };
  expect(figures.find((it) => it.id === '#1')).toMatchObject({ holds: false, promise: true });
  expect(figures.find((it) => it.id === '#30')).toMatchObject({ holds: true, volumes: [{ done: 1, asked: 40 }] });
});

test('the same figure of two tests is one, as good as the worse of them', () => {
  const figure = (measured: string, holds: boolean): Figure => ({
    id: '#5', what: 'kills', goal: '0', measured, holds, promise: true, volumes: [{ done: 30, asked: 60, unit: 'kills' }],
  });
  expect(merged([figure('a', true), figure('b', false)])).toEqual([
    { ...figure('a; b', false), volumes: [{ done: 60, asked: 60, unit: 'kills' }] },
  ]);
});

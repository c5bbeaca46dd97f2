/**
 * Fails a run in which a wrong count of POSTs was forgiven by another attempt
 * (`ledger.ts`), and writes down what was measured (`figures.ts`) and what failed (`told.ts`).
 */
import { writeFileSync } from 'node:fs';

import type { FullResult, Reporter, TestCase, TestResult } from '@playwright/test/reporter';

import { FIGURE, merged, type Figure } from './figures.js';
import { COUNTS, MISCOUNTED, unforgiven, type Attempt, type Count } from './ledger.js';
import { earlier, shortly, tell } from './told.js';

interface Tried {
  title: string;
  /** File, line and title. */
  where: string;
  /** Of the last attempt, if it failed. */
  why: string;
  attempts: Attempt[];
  /** Of the last attempt. */
  figures: Figure[];
  passed: boolean;
}

/** What it means when a test of a folder fails that measures one figure. Its task has the same name unless told. */
const UNENDED: Partial<Record<string, Pick<Figure, 'id' | 'what'> & { task?: string }>> = {
  kills: { id: '#5', what: 'lanes of kills that did not come to their end' },
  large: { id: '#19', what: 'decisions on a large batch that did not come to their rerun', task: 'soak --large' },
  outage: { id: '#9', what: 'outages whose supervision did not come to its verdict' },
  soak: { id: '#20', what: 'tabs that did not supervise all the time' },
  wake: { id: '#16', what: 'kinds of waking that did not come to fresh data each time' },
};

/** As many scenarios as are asked for, of the 48 (`chaos/scenarios.ts`). */
const SCENARIOS = 40;

export default class LedgerReporter implements Reporter {
  readonly #tests = new Map<string, Tried>();
  readonly #earlier = earlier();

  printsToStdio(): boolean {
    return false;
  }

  onTestEnd(test: TestCase, result: TestResult): void {
    if (result.status === 'skipped' || result.status === 'interrupted') return;
    const said = (type: string): string[] =>
      result.annotations.filter((it) => it.type === type).map((it) => it.description ?? '');
    const told = this.#tests.get(test.id) ?? {
      title: test.title,
      where: where(test),
      why: '',
      attempts: [...(this.#earlier.get(test.id) ?? [])],
      figures: [],
      passed: false,
    };
    const passed = result.status === test.expectedStatus;
    const counts = said(COUNTS).at(-1);
    told.attempts.push({
      passed,
      counts: counts === undefined ? null : (JSON.parse(counts) as Count[]),
      miscounted: said(MISCOUNTED),
    });
    told.figures = said(FIGURE).map((it) => JSON.parse(it) as Figure);
    told.passed = passed;
    told.why = passed ? '' : shortly(result.error);
    this.#tests.set(test.id, told);
  }

  async onEnd(result: FullResult): Promise<{ status?: FullResult['status'] } | undefined> {
    const tests = [...this.#tests.values()];
    const failed = [...this.#tests].flatMap(([id, it]) =>
      it.passed ? [] : [{ id, where: it.where, why: it.why, attempts: it.attempts }],
    );
    const wrong = tests.flatMap(({ title, attempts }) => unforgiven(attempts).map((it) => `${title}: ${it}`));
    for (const line of wrong) console.log(`\nNot forgiven by another attempt: ${line}`);
    tell({ failed, unforgiven: wrong });
    const file = process.env['RETAKE_FIGURES'];
    if (file && (result.status === 'passed' || result.status === 'failed')) {
      writeFileSync(file, this.#file(tests, wrong.length));
    }
    return wrong.length > 0 ? { status: 'failed' } : undefined;
  }

  #file(tests: Tried[], wrong: number): string {
    const folder = process.env['RETAKE_STORIES'] ?? '';
    const unended = UNENDED[folder];
    const command = unended ? `cargo xtask ${unended.task ?? folder}` : 'cargo xtask test --only chaos';
    const figures = merged(tests.flatMap((it) => it.figures));
    const failed = tests.filter((it) => !it.passed).length;
    if (unended) {
      if (failed > 0) {
        figures.push({
          id: unended.id, what: unended.what, goal: '0',
          measured: `${failed} of ${tests.length}`, holds: false, promise: false, volumes: [],
        });
      }
    } else {
      figures.push(...chaos(tests, failed, wrong));
    }
    const all = figures.map((it) => ({ ...it, command }));
    const date = new Date().toISOString().slice(0, 10);
    return `${JSON.stringify({ commit: process.env['RETAKE_COMMIT'] ?? 'unknown', date, figures: all }, null, 2)}\n`;
  }
}

/** Where a test is found, and its title. */
function where(test: TestCase): string {
  const file = test.location.file.split('/').slice(-2).join('/');
  return `${file}:${test.location.line} ${test.titlePath().slice(3).join(' › ')}`;
}

/** What the chaos scenarios come to as a whole. */
function chaos(tests: Tried[], failed: number, wrong: number): Figure[] {
  const posts = tests.flatMap((it) => it.attempts.at(-1)?.counts ?? []).reduce((sum, it) => sum + it.posts, 0);
  const numbers = (chosen: Tried[]): Set<string> =>
    new Set(chosen.flatMap((it) => /^(\d\d) /.exec(it.title)?.slice(1) ?? []));
  const unfit = numbers(tests.filter((it) => !it.passed));
  const fit = [...numbers(tests)].filter((it) => !unfit.has(it)).length;
  const repeated = tests.filter((it) => it.passed && it.attempts.length > 1).length;
  // A test that failed for good may have counted wrongly, too.
  const miscounted = tests.filter((it) => !it.passed && it.attempts.some((one) => one.miscounted.length > 0)).length;
  return [
    {
      id: '#1',
      what: 'browser tests in which a rerun POST too many, or too few, reached the server, in any attempt',
      goal: '0',
      measured: `${wrong + miscounted} of ${tests.length} tests, ${posts} POSTs`,
      holds: wrong + miscounted === 0,
      promise: true,
      volumes: [],
    },
    {
      id: '#30',
      what: 'scenarios in a browser, each with POST count, verdict and sentence',
      goal: '40 of 48 in Chromium, all green',
      measured: `${fit} of 48 green by ${tests.length} tests, ${failed} failed, ${repeated} passed only when repeated`,
      holds: failed === 0,
      promise: false,
      volumes: [{ done: fit, asked: SCENARIOS, unit: 'scenarios' }],
    },
  ];
}

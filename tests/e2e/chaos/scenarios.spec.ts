/** No scenario is forgotten: each has a test, or a written reason why not. */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect, test } from '@playwright/test';

import { SCENARIOS } from './scenarios.js';

const HERE = dirname(fileURLToPath(import.meta.url));
const IN_ALL = 48;
const AT_LEAST = 40;

const read = (path: string): string => readFileSync(path, 'utf8');

test('every one of the 48 scenarios has a test or a reason', () => {
  const sources = readdirSync(HERE)
    .filter((name) => name.endsWith('.spec.ts'))
    .map((name) => read(join(HERE, name)));
  const numbered = new Set(sources.flatMap((text) => [...text.matchAll(/\btest\(\s*['"`](\d\d) /g)].map((it) => Number(it[1]))));
  expect(SCENARIOS.map((it) => it.n)).toEqual(Array.from({ length: IN_ALL }, (_, n) => n + 1));
  let covered = 0;
  for (const { n, what, story, leftOut } of SCENARIOS) {
    const is = numbered.has(n) || story !== undefined;
    if (story) expect(read(join(HERE, '..', story.file)), what).toContain(`test('${story.title}'`);
    if (is) expect(leftOut, `${n} ${what} is covered, so it is not left out`).toBeUndefined();
    else expect(leftOut ?? '', `${n} ${what} has neither a test nor a reason`).toMatch(/\S+ \S+ \S+/);
    covered += is ? 1 : 0;
  }
  for (const n of numbered) expect(n, 'a test of a scenario that is not in the table').toBeLessThanOrEqual(IN_ALL);
  expect(covered).toBeGreaterThanOrEqual(AT_LEAST);
  console.log(`${covered} of ${IN_ALL} scenarios are covered.`);
});

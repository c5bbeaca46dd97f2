/**
 * What a run of the tests tells `cargo xtask test`: which tests failed and why, so that
 * the end of a long log names them; and what their attempts sent, so that a last attempt
 * alone is judged together with the earlier ones (`ledger.ts`).
 */
import { readFileSync, writeFileSync } from 'node:fs';

import type { TestError } from '@playwright/test/reporter';

import type { Attempt } from './ledger.js';

/** A test that never passed. */
export interface Failed {
  /** Playwright's own name of it, the same in the next run. */
  id: string;
  /** File, line and title. */
  where: string;
  /** The beginning of what was wrong at its last attempt. */
  why: string;
  attempts: Attempt[];
}

/** A run, in the file that `RETAKE_TOLD` names. */
export interface Told {
  failed: Failed[];
  /** What no further attempt may forgive. */
  unforgiven: string[];
}

/** Longer errors are in the log above. */
const LONGEST = 300;

/** The first words of an error, on one line and without colours. */
export function shortly(error: TestError | undefined): string {
  const plain = (error?.message ?? error?.value ?? 'no reason was given').replace(/\u001b\[[0-9;]*m/g, '');
  const line = plain.split(/\s+/).join(' ').trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}

/** Leaves a run for `cargo xtask test`, if it asked for that. */
export function tell(told: Told): void {
  const file = process.env['RETAKE_TOLD'];
  if (file) writeFileSync(file, `${JSON.stringify(told, null, 2)}\n`);
}

/** What the tests of this run did in the run before, when this one is their last attempt; by their ids. */
export function earlier(): Map<string, Attempt[]> {
  const file = process.env['RETAKE_EARLIER'];
  if (!file) return new Map();
  const told = JSON.parse(readFileSync(file, 'utf8')) as Told;
  return new Map(told.failed.map((it) => [it.id, it.attempts]));
}

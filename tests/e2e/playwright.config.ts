import { defineConfig } from '@playwright/test';

/** `cargo xtask test` starts the sandbox and says where it is. */
const url = process.env['RETAKE_URL'] ?? 'http://localhost:8080';
const chromium = process.env['RETAKE_CHROMIUM'];

export default defineConfig({
  /** Another folder for what is not a test, such as the README's pictures. */
  testDir: process.env['RETAKE_STORIES'] ?? 'stories',
  outputDir: `.out/${process.env['RETAKE_OUT'] ?? 'e2e'}`,
  // Generous, because machines are busy: a limit that is met by waiting proves nothing.
  timeout: 120_000,
  expect: { timeout: 30_000 },
  // Once more, as for a flaky simulation test: what fails twice is red, and what
  // passes the second time is listed as flaky at the end, to be looked into. A wrong
  // count of rerun POSTs is never forgiven so: `support/reporter.ts` fails the run.
  retries: 1,
  forbidOnly: Boolean(process.env['CI']),
  // Each test makes batches of its own, so they can run side by side.
  fullyParallel: true,
  workers: 2,
  reporter: [['list'], ['./support/reporter.ts']],
  use: {
    baseURL: url,
    viewport: { width: 1440, height: 900 },
    screenshot: 'only-on-failure',
    // Of the second attempt only: a trace takes a fifth of the time of all tests.
    trace: 'on-first-retry',
    launchOptions: {
      ...(chromium ? { executablePath: chromium } : {}),
      args: [
        '--no-sandbox',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--no-first-run',
        '--disable-quic',
      ],
    },
  },
});

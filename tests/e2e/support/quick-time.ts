/** Time that goes by faster than it does, for what would take a day. */
import type { BrowserContext } from '@playwright/test';

/**
 * Lets both clocks and all timers of the pages of a context, and the tick of their worker, run so
 * many times as fast. Only the network and the processor are as they are.
 */
export async function quicken(context: BrowserContext, times: number): Promise<void> {
  await context.addInitScript(
    ({ times, begun }) => {
      const wall = Date.now.bind(Date);
      const mono = performance.now.bind(performance);
      // The same for all pages of the context, so that a reload does not set the clock.
      Date.now = () => Math.floor(begun + (wall() - begun) * times);
      performance.now = () => mono() * times;
      for (const name of ['setTimeout', 'setInterval'] as const) {
        const real = window[name].bind(window) as (act: TimerHandler, delay: number, ...more: unknown[]) => number;
        const quick = (act: TimerHandler, delay = 0, ...more: unknown[]): number => real(act, delay / times, ...more);
        Object.assign(window, { [name]: quick });
      }
    },
    { times, begun: Date.now() },
  );
  await context.route('**/tick.js', (route) =>
    route.fulfill({ contentType: 'text/javascript', body: `setInterval(() => postMessage(0), ${1_000 / times});` }),
  );
}

/** A tab that stands still, as a frozen one does: no timer, no worker, no answer. */
import type { Page } from '@playwright/test';

interface TraceEvent {
  name: string;
  args?: { data?: { frames?: { url?: string; processId?: number }[] } };
}

/** The process in which a page runs, as the browser's own trace tells it. */
export async function processOf(page: Page): Promise<number> {
  const browser = page.context().browser();
  if (!browser) throw new Error('this browser cannot be traced');
  await browser.startTracing(page, { categories: ['disabled-by-default-devtools.timeline'] });
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const frames = traceEvents.flatMap((it) => (it.name === 'TracingStartedInBrowser' ? (it.args?.data?.frames ?? []) : []));
  const pid = frames.find((it) => it.url === page.url())?.processId;
  if (pid === undefined) throw new Error(`no process of ${page.url()} in the trace`);
  return pid;
}

/**
 * Stops the process of a page; its locks stay held and its connections open. (The
 * developer protocol's own freezing does nothing to a page that Playwright keeps in
 * focus, and would leave its workers awake.) Give the page back by `thaw`.
 */
export function freeze(pid: number): { thaw: () => void } {
  process.kill(pid, 'SIGSTOP');
  return { thaw: () => void process.kill(pid, 'SIGCONT') };
}

/** What tests ask of the sandbox itself; see `sandbox/README.md`. */
import type { APIRequestContext } from '@playwright/test';

import type { Count } from './ledger.js';

export interface Batch {
  projectID: string;
  batchID: string;
  name: string;
  jobIDs: string[];
}

/** A test as the API tells it. */
export interface Test {
  jobID: string;
  experienceName: string;
  conflatedStatus: string;
}

export interface Recipe {
  tests?: number;
  outcomes?: {
    error?: number;
    blocker?: number;
    warning?: number;
    flaky?: { count: number; fails_runs?: number; as?: string }[];
  };
  duration_ms?: [number, number];
  start?: 'finished' | 'running' | 'submitted';
  cleanup_ms?: number;
  hang?: boolean;
  allowable_failure_percent?: number;
  overrides?: Record<string, unknown>;
  rerun_answer?: { ignored?: boolean; new_batch_id?: boolean; omit?: string[] };
  [more: string]: unknown;
}

export interface Seen {
  /** Its place among all requests. */
  number: number;
  method: string;
  path: string;
  status: number | null;
  body: { jobIDs?: string[]; syncBatch?: boolean; rerunMetricsOnly?: boolean } | null;
  /** When it came, in milliseconds since 1970. */
  at_ms: number;
  /** The number of the connection that it came over. */
  connection: number;
  /** The names of its headers. */
  headers: string[];
}

async function call(
  request: APIRequestContext,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  data?: unknown,
): Promise<unknown> {
  const answer = await request.fetch(`/sandbox/${path}`, {
    method,
    ...(data === undefined ? {} : { data }),
  });
  if (!answer.ok()) {
    throw new Error(`the sandbox answers ${answer.status()} to ${path}: ${await answer.text()}`);
  }
  return answer.json();
}

export class Sandbox {
  /** What was ordered here, in order. */
  readonly #ordered: Batch[] = [];

  constructor(private readonly request: APIRequestContext) {}

  /** Orders a batch that nobody else knows. */
  async batch(recipe: Recipe, name?: string, project?: string): Promise<Batch> {
    const batch = (await call(this.request, 'POST', 'batches', {
      recipe,
      ...(name ? { name } : {}),
      ...(project ? { project } : {}),
    })) as Batch;
    this.#ordered.push(batch);
    return batch;
  }

  /** What the server has counted for each batch that was ordered here. */
  async counts(): Promise<Count[]> {
    const count = async (batch: Batch): Promise<Count> => ({
      posts: (await this.reruns(batch)).length,
      applied: (await this.state(batch)).runCounter - 1,
    });
    return Promise.all(this.#ordered.map(count));
  }

  async act(batch: Batch, what: 'finish' | 'cancel' | 'advance' | 'rerun', data = {}): Promise<void> {
    await call(this.request, 'POST', `batches/${batch.batchID}/${what}`, data);
  }

  /** Breaks the next calls whose path contains a text. */
  async fault(fault: {
    method?: string;
    path_contains: string;
    fault: string | number;
    times?: number;
    after?: number;
    ms?: number;
    retry_after?: number;
  }): Promise<void> {
    await call(this.request, 'POST', 'faults', fault);
  }

  async mend(batch: Batch): Promise<void> {
    await call(this.request, 'DELETE', `faults?path_contains=${batch.batchID}`);
  }

  /** Where a batch stands, without a call that a fault could strike. */
  async state(batch: Batch): Promise<{ status: string; runCounter: number }> {
    return (await call(this.request, 'POST', `batches/${batch.batchID}/advance`, { ms: 0 })) as {
      status: string;
      runCounter: number;
    };
  }

  /** Every POST of a batch's rerun that reached the sandbox. */
  async reruns(batch: Batch): Promise<Seen[]> {
    return this.requests(`/batches/${batch.batchID}/rerun`, 'POST');
  }

  /** The calls whose path contains a text. */
  async requests(pathContains: string, method: 'GET' | 'POST'): Promise<Seen[]> {
    const path = encodeURIComponent(pathContains);
    const listed = (await call(
      this.request,
      'GET',
      `requests?method=${method}&path_contains=${path}`,
    )) as { requests: Seen[] };
    return listed.requests;
  }

  /** The IDs of a batch's tests that have failed by now; of the first hundred. */
  async failing(batch: Batch): Promise<string[]> {
    const answer = await this.request.get(`/v1/projects/${batch.projectID}/batches/${batch.batchID}/jobs?pageSize=100`, {
      headers: { authorization: 'Bearer test' },
    });
    const { jobs } = (await answer.json()) as { jobs: Test[] };
    return jobs.filter((it) => ['ERROR', 'BLOCKER', 'WARNING'].includes(it.conflatedStatus)).map((it) => it.jobID);
  }

  /** Asks the API itself for a rerun, as a supervisor would; gives the status of the answer. */
  async postRerun(batch: Batch, jobIDs: string[]): Promise<number> {
    const answer = await this.request.post(`/v1/projects/${batch.projectID}/batches/${batch.batchID}/rerun`, {
      headers: { authorization: 'Bearer test' },
      data: { jobIDs, syncBatch: false, rerunMetricsOnly: false },
    });
    return answer.status();
  }

  async expireTokens(sessions = false): Promise<void> {
    await call(this.request, 'POST', 'tokens/expire', { sessions });
  }

  /** The ID of a project, by its name. */
  async project(name: string): Promise<string> {
    let token = '';
    for (;;) {
      const answer = await this.request.get(`/v1/projects?pageSize=100&pageToken=${token}`, {
        headers: { authorization: 'Bearer test' },
      });
      const page = (await answer.json()) as {
        projects: { name: string; projectID: string }[];
        nextPageToken: string;
      };
      const found = page.projects.find((it) => it.name === name);
      if (found) return found.projectID;
      if (!page.nextPageToken) throw new Error(`no project ${name}`);
      token = encodeURIComponent(page.nextPageToken);
    }
  }

  /** The IDs of a project's tags, by their names; the first hundred. */
  async tags(projectID: string): Promise<Map<string, string>> {
    const answer = await this.request.get(`/v1/projects/${projectID}/experienceTags?pageSize=100`, {
      headers: { authorization: 'Bearer test' },
    });
    const page = (await answer.json()) as { experienceTags: { name: string; experienceTagID: string }[] };
    return new Map(page.experienceTags.map((it) => [it.name, it.experienceTagID]));
  }

  /** A batch's tests that wear a tag, as the API lists them; the first hundred. */
  async wearers(batch: Batch, tagID: string): Promise<Test[]> {
    const answer = await this.request.get(
      `/v1/projects/${batch.projectID}/batches/${batch.batchID}/jobs?pageSize=100&experienceTagIDs=${tagID}`,
      { headers: { authorization: 'Bearer test' } },
    );
    return ((await answer.json()) as { jobs: Test[] }).jobs;
  }

  /** A batch of a fixture project, by its name. */
  async fixture(project: string, name: string): Promise<Batch> {
    const projectID = await this.project(project);
    const answer = await this.request.get(
      `/v1/projects/${projectID}/batches/lookup/name/${encodeURIComponent(name)}/`,
      { headers: { authorization: 'Bearer test' } },
    );
    return { projectID, batchID: (await answer.json()) as string, name, jobIDs: [] };
  }
}

/**
 * The shipped configurations, in real web servers: headers, caching, fallback,
 * compression, and a story through the relay. `cargo xtask test --only hosting`
 * starts the servers.
 */
import { readFileSync } from 'node:fs';
import { request as newRequest, type APIResponse } from '@playwright/test';

import { shippedHeaders } from '../support/headers.js';
import { expect, test } from '../support/retake.js';
import { Sandbox } from '../support/sandbox.js';

const HOSTS = JSON.parse(process.env['RETAKE_HOSTS'] ?? '[]') as { name: string; url: string }[];
const API = process.env['RETAKE_API'] ?? '';
/** The shipped server.conf of nginx: its addresses without and with TLS. */
const SERVER = JSON.parse(process.env['RETAKE_SERVER'] ?? '{}') as { plain?: string; tls?: string };
/** A relay whose API is somebody else, with a certificate for another name. */
const MISLED = process.env['RETAKE_MISLED'] ?? '';
const FOLDER = process.env['RETAKE_FOLDER'] ?? '';

/** The path that a site of the tests lives below. */
function baseOf(address: string): string {
  return HOSTS.map((it) => new URL(it.url)).find((it) => address.startsWith(it.href) && it.pathname !== '/')?.pathname ?? '/';
}

function expectHeaders(answer: APIResponse, caching: string | RegExp, base = baseOf(answer.url())): void {
  const headers = answer.headers();
  for (const [name, value] of shippedHeaders(base, API)) expect(headers[name], `${name} of ${answer.url()}`).toBe(value);
  if (typeof caching === 'string') expect(headers['cache-control']).toBe(caching);
  else expect(headers['cache-control'] ?? '').toMatch(caching);
  expect(headers['server'] ?? '').not.toMatch(/\d/);
}

for (const { name, url } of HOSTS) {
  test.describe(`${name} @hosting`, () => {
    test('every route is the page; a missing file is missing', async ({ request }) => {
      for (const path of ['', 'projects/x/batches/y?status=ERROR', 'projects/a.b/batches/c.js', 'sign-in', 'nowhere']) {
        const answer = await request.get(url + path);
        expect(answer.status(), path).toBe(200);
        expect(answer.headers()['content-type']).toBe('text/html; charset=utf-8');
        expectHeaders(answer, 'no-store');
        expect(await answer.text()).toContain('boot-');
      }
      for (const path of ['boot-0123456789abcdef.js', 'app.wasm', 'robots.txt']) {
        const answer = await request.get(url + path);
        expect(answer.status(), path).toBe(404);
        expect(await answer.text()).not.toContain('boot-');
        // Nor is it missing for ever, and nothing of it runs either.
        expectHeaders(answer, /^(|no-store|no-cache)$/);
      }
      const twin = await request.get(`${url}404.html`);
      expectHeaders(twin, 'no-store');
      if (new URL(url).pathname !== '/') {
        // What else lies in the folder is for nobody.
        for (const path of ['/', '/404.html', '/_headers', '/hosting/nginx/relay.conf', '/hosting/sbom.cdx.json']) {
          const answer = await request.get(new URL(path, url).href);
          expect(answer.status(), path).toBe(404);
          expect(await answer.text()).not.toContain('boot-');
          expectHeaders(answer, 'no-store', new URL(url).pathname);
        }
      }
      if (new URL(url).pathname !== '/') {
        const door = await request.get(url.slice(0, -1), { maxRedirects: 0 });
        expect(door.status()).toBe(308);
        expectHeaders(door, /^(|no-store)$/, new URL(url).pathname);
      }
    });

    test('files come compressed, typed, and with their caching', async ({ request }) => {
      const page = await (await request.get(url)).text();
      const boot = /boot-[0-9a-f]{16}\.js/.exec(page)?.[0] ?? '';
      const wasm = /retake-[0-9a-f]+_bg\.wasm/.exec(page)?.[0] ?? '';
      const css = /bundle-[0-9a-f]+\.css/.exec(page)?.[0] ?? '';
      // Every script and style sheet of the page carries its hash.
      expect(page.match(/<script/g)).toHaveLength(1);
      expect(page).toMatch(/<script type="module" src="[^"]+" integrity="sha384-/);
      expect(page.match(/rel=stylesheet/g)).toHaveLength(page.match(/\.css integrity=sha384-/g)?.length ?? -1);
      for (const [file, type, caching] of [
        [boot, 'text/javascript; charset=utf-8', 'public, max-age=31536000, immutable'],
        [wasm, 'application/wasm', 'public, max-age=31536000, immutable'],
        [css, 'text/css; charset=utf-8', 'public, max-age=31536000, immutable'],
        ['tick.js', 'text/javascript; charset=utf-8', 'no-cache'],
        ['keeper.js', 'text/javascript; charset=utf-8', 'no-cache'],
        ['config.json', 'application/json', 'no-cache'],
        ['favicon.svg', 'image/svg+xml', 'no-cache'],
        ['licences.txt', 'text/plain; charset=utf-8', 'no-cache'],
      ] as const) {
        const plain = await request.get(url + file, { headers: { 'accept-encoding': 'identity' } });
        expect(plain.status(), file).toBe(200);
        expect(plain.headers()['content-type'], file).toBe(type);
        expectHeaders(plain, caching);
        // What may be changed on the host has no copy that would grow old.
        const encodings = ['config.json', 'licences.txt'].includes(file) ? [] : file.includes('-') ? ['br', 'gzip'] : ['gzip'];
        for (const encoding of encodings) {
          const packed = await request.get(url + file, { headers: { 'accept-encoding': encoding } });
          expect(packed.headers()['content-encoding'], `${file} as ${encoding}`).toBe(encoding);
          expect(packed.headers()['content-type'], `${file} as ${encoding}`).toBe(type);
          expect(packed.headers()['vary']?.toLowerCase()).toContain('accept-encoding');
          expectHeaders(packed, caching);
          expect((await packed.body()).equals(await plain.body()), `${file} as ${encoding}`).toBe(true);
        }
      }
    });

    test('config.json is sent as it lies there, since it may be changed there', async ({ request }) => {
      const answer = await request.get(`${url}config.json`, { headers: { 'accept-encoding': 'br, gzip' } });
      expect(answer.headers()['content-encoding']).toBeUndefined();
      expect(await answer.text()).toContain('"Relay"');
    });

    test('a host that knows nothing but 404.html shows the app at every route', async ({ page, retake }) => {
      const deep = `${url}projects/x/batches/y`;
      const answer = await page.request.get(`${url}404.html`);
      expect(answer.status()).toBe(200);
      await page.route(deep, async (route) => route.fulfill({ status: 404, headers: answer.headers(), body: await answer.body() }));
      expect((await page.goto(deep))?.status()).toBe(404);
      await expect(retake.hook('sign-in-oidc')).toBeVisible();
      await expect(page).toHaveURL((at) => at.pathname === new URL('sign-in', url).pathname);
    });

    test('a story: sign in at a deep link, look, rerun, reload, sign out', async ({ page, retake }) => {
      const context = await newRequest.newContext({ baseURL: new URL('/', url).href });
      const sandbox = new Sandbox(context);
      const batch = await sandbox.batch({
        tests: 12,
        duration_ms: [300, 600],
        outcomes: { flaky: [{ count: 2, fails_runs: 1 }] },
      });
      const path = `projects/${batch.projectID}/batches/${batch.batchID}?status=ERROR`;
      await page.goto(url + path);
      await page.getByRole('radio', { name: /^Relay/ }).check();
      await retake.hook('sign-in-oidc').click();
      await expect(page).toHaveURL(url + path);
      await expect(retake.rows).toHaveCount(2);
      await page.reload();
      await expect(retake.rows).toHaveCount(2);
      await expect(page).toHaveURL(url + path);
      // The worker that keeps the refresh token runs on this host, too.
      expect(page.workers().map((it) => it.url())).toEqual([`${url}keeper.js`]);
      const workers: string[] = [];
      page.on('worker', (worker) => workers.push(worker.url()));
      await retake.supervise({ 'poll-every': '1s' });
      await retake.verdict().toBe(0, 'pass-after-rerun');
      expect(await sandbox.reruns(batch)).toHaveLength(1);
      expect(workers).toEqual([`${url}tick.js`]);
      // Links stay below the base, forwards and back.
      await page.getByRole('link', { name: /Supervisions/ }).click();
      await expect(page).toHaveURL(`${url}supervisions`);
      await page.getByRole('link', { name: 'Retake, all projects' }).click();
      await expect(page).toHaveURL(url);
      await expect(retake.hook('project-row').first()).toBeVisible();
      await page.goBack();
      await expect(page).toHaveURL(`${url}supervisions`);
      // A link of this site leads where it leads, the base path in it or not.
      await page.goto(`${url}projects/${batch.projectID}`);
      await retake.hook('open-batch').fill(url + path);
      await retake.hook('open-batch').press('Enter');
      await expect(page).toHaveURL(`${url}projects/${batch.projectID}/batches/${batch.batchID}`);
      await expect(retake.hook('row-count')).toHaveText('12 of 12 tests');
      const icon = await page.locator('link[rel=icon]').getAttribute('href');
      expect(icon).toContain(new URL(url).pathname);
      await page.getByRole('button', { name: /Account and settings/ }).click();
      await retake.hook('sign-out').click();
      await expect(page).toHaveURL(`${url}sign-in`);
      await expect(retake.hook('sign-in-oidc')).toBeVisible();
      await context.dispose();
    });
  });
}

test.describe('the relay @hosting', () => {
  test('the API behind it allows no other origin, and it passes on no more than it must', async ({ request }) => {
    for (const { name, url } of HOSTS) {
      const direct = await request.fetch(`${API}/v1/projects`, { method: 'OPTIONS' });
      expect(direct.headers()['access-control-allow-origin']).toBeUndefined();
      const relay = new URL('/v1/projects?pageSize=5', url).href;
      const bare = await request.get(relay);
      expect(bare.status(), name).toBe(401);
      const asked = await request.get(relay, { headers: { authorization: 'Bearer t', cookie: 'a=b' } });
      expect(asked.status(), name).toBe(200);
      expect(asked.headers()['access-control-allow-origin']).toBeUndefined();
      expect(asked.headers()['cache-control']).toBe('no-store');
      expect(asked.headers()['content-security-policy']).toBe("default-src 'none'; frame-ancestors 'none'; sandbox");
      const binds = baseOf(url) === '/' ? 'max-age=31536000; includeSubDomains' : 'max-age=31536000';
      expect(asked.headers()['strict-transport-security']).toBe(binds);
      const refused = await request.fetch(relay, { method: 'DELETE', headers: { authorization: 'Bearer t' } });
      expect([403, 405], name).toContain(refused.status());
      expect(refused.headers()['content-security-policy'], name).toContain("default-src 'none'");
      expect(refused.headers()['server'] ?? '', name).not.toMatch(/\d/);
    }
  });

  test('takes away what would tell the API of the site, and what would let the API act on the site', async ({ request }) => {
    const sandbox = new Sandbox(await newRequest.newContext({ baseURL: API }));
    for (const { name, url } of HOSTS) {
      const path = `/v1/projects?pageSize=7&name=${encodeURIComponent(name)}`;
      const relay = new URL(path, url).href;
      const headers = { authorization: 'Bearer t', cookie: 'a=b', origin: new URL(url).origin, referer: url };
      await sandbox.fault({ method: 'GET', path_contains: path, fault: 'overreach', times: 2 });
      // The API does send all that.
      const direct = (await request.get(API + path, { headers })).headers();
      expect(direct['clear-site-data'], name).toContain('storage');
      const relayed = await request.get(relay, { headers });
      expect(relayed.status(), name).toBe(200);
      const got = relayed.headers();
      const acting = Object.keys(got).filter((it) => /^(set-cookie|access-control-.*|clear-site-data|nel|report-to|reporting-endpoints|alt-svc)$/.test(it));
      expect(acting, name).toEqual([]);
      expect(got['content-security-policy'], name).toBe("default-src 'none'; frame-ancestors 'none'; sandbox");
      const seen = await sandbox.requests(path, 'GET');
      const [before, passed] = [seen.at(-2)?.headers ?? [], seen.at(-1)?.headers ?? []];
      const telling = (all: string[]): string[] => all.filter((it) => ['cookie', 'origin', 'referer'].includes(it));
      expect(telling(before), 'the direct call has them').toHaveLength(3);
      expect(telling(passed), name).toEqual([]);
      expect(passed, name).toContain('authorization');
    }
  });

  test('never sends a rerun again whose connection broke', async ({ request }) => {
    const sandbox = new Sandbox(await newRequest.newContext({ baseURL: API }));
    for (const { name, url } of HOSTS) {
      const batch = await sandbox.batch({ tests: 3, outcomes: { error: 1 } });
      const path = `/v1/projects/${batch.projectID}/batches/${batch.batchID}/rerun`;
      await sandbox.fault({ method: 'POST', path_contains: path, fault: 'drop' });
      const answer = await request.post(new URL(path, url).href, { headers: { authorization: 'Bearer t' }, data: { jobIDs: [] } });
      expect(answer.status(), name).toBe(502);
      expect(await sandbox.reruns(batch), name).toHaveLength(1);
    }
  });
});

test.describe('nginx with the shipped server.conf @hosting', () => {
  test('leads to https, and sends the site and the relay there', async () => {
    const context = await newRequest.newContext({ ignoreHTTPSErrors: true });
    const plain = await context.get(`${SERVER.plain}/projects?x=1`, { maxRedirects: 0 });
    expect(plain.status()).toBe(308);
    expect(plain.headers()['location']).toBe('https://localhost/projects?x=1');
    expect(plain.headers()['server']).not.toMatch(/\d/);
    const page = await context.get(`${SERVER.tls}/projects/x`);
    expect(page.status()).toBe(200);
    expect(await page.text()).toContain('boot-');
    expectHeaders(page, 'no-store');
    const relayed = await context.get(`${SERVER.tls}/v1/projects`);
    expect(relayed.status()).toBe(401);
    expect(relayed.headers()['strict-transport-security']).toBe('max-age=31536000; includeSubDomains');
    await context.dispose();
  });

  test('the relay speaks to nobody who only has some certificate', async ({ request }) => {
    const answer = await request.get(`${MISLED}/v1/projects`, { headers: { authorization: 'Bearer t' } });
    expect(answer.status()).toBe(502);
  });
});

test.describe('the functions for CloudFront @hosting', () => {
  interface Request {
    method: string;
    uri: string;
    headers: Record<string, { value: string }>;
    cookies: Record<string, { value: string }>;
  }
  type Outcome = Request & { statusCode?: number; headers: { location?: { value: string } } };

  function run(file: string, given: Partial<Request>): Outcome {
    const text = readFileSync(`${FOLDER}/hosting/cloudfront/${file}`, 'utf8');
    const handler = new Function(`${text}; return handler;`)() as (event: { request: Request }) => Outcome;
    return handler({ request: { method: 'GET', uri: '/', headers: {}, cookies: {}, ...given } });
  }

  test('every route is the page, a file is itself, the base path has a door', () => {
    for (const [uri, becomes] of [
      ['/some/path/', '/some/path/index.html'],
      ['/some/path/projects/a.b/batches/c.js', '/some/path/index.html'],
      ['/some/path/boot-0123456789abcdef.js', '/some/path/boot-0123456789abcdef.js'],
      ['/elsewhere', '/elsewhere'],
    ] as const) {
      expect(run('fallback.js', { uri }).uri, uri).toBe(becomes);
    }
    const door = run('fallback.js', { uri: '/some/path' });
    expect(door.statusCode).toBe(308);
    expect(door.headers.location?.value).toBe('/some/path/');
  });

  test('the relay passes on the token, and no cookie, origin or fourth method', () => {
    const headers = { authorization: { value: 'Bearer t' }, origin: { value: 'https://x' }, referer: { value: 'https://x/y' } };
    const passed = run('relay.js', { uri: '/v1/projects', headers, cookies: { a: { value: 'b' } } });
    expect(passed.headers).toEqual({ authorization: { value: 'Bearer t' } });
    expect(passed.cookies).toEqual({});
    for (const method of ['DELETE', 'PUT', 'OPTIONS', 'HEAD']) {
      expect(run('relay.js', { method }).statusCode, method).toBe(405);
    }
  });
});

test('the folder names every crate of the site, with its version, licence and hash @hosting', () => {
  const bill = JSON.parse(readFileSync(`${FOLDER}/hosting/sbom.cdx.json`, 'utf8')) as {
    bomFormat: string;
    components: { name: string; version: string; licenses: unknown[]; hashes?: unknown[] }[];
  };
  expect(bill.bomFormat).toBe('CycloneDX');
  const lock = readFileSync(new URL('../../../Cargo.lock', import.meta.url), 'utf8');
  for (const name of ['leptos', 'wasm-bindgen', 'retake-core']) {
    expect(bill.components.filter((it) => it.name === name), name).not.toEqual([]);
  }
  for (const it of bill.components) {
    expect(lock, it.name).toContain(`name = "${it.name}"\nversion = "${it.version}"\n`);
    expect(it.licenses, it.name).not.toEqual([]);
    // What is our own comes from no registry.
    if (!it.name.startsWith('retake')) expect(it.hashes, it.name).toHaveLength(1);
  }
});

test('the site carries the licences of everything in it, with their texts @hosting', async ({ request }) => {
  const paper = await (await request.get(`${HOSTS[0]?.url}licences.txt`)).text();
  const bill = JSON.parse(readFileSync(`${FOLDER}/hosting/sbom.cdx.json`, 'utf8')) as {
    components: { name: string; version: string; scope: string }[];
  };
  const shipped = bill.components.filter((it) => it.scope === 'required' && !it.name.startsWith('retake'));
  expect(shipped.length).toBeGreaterThan(50);
  const lines = paper.split('\n');
  for (const { name, version } of shipped) {
    const crate = `${name} ${version}`;
    expect(lines.some((it) => it.startsWith(`${crate}: `)), `${crate} has a licence`).toBe(true);
    // With a text of its own, or named as one to which the texts at the top apply.
    const withText = lines.some((it) => it.endsWith(':') && it.slice(0, -1).split(', ').includes(crate));
    const without = lines.some((it) => it.startsWith(`${crate}, `) && it.includes(', copyright '));
    expect(withText || without, `${crate} has a text`).toBe(true);
  }
  // What only helps to compile is in no visitor's hands.
  for (const builder of ['rustc_version', 'version_check', 'leptos_macro']) expect(shipped.map((it) => it.name)).not.toContain(builder);
  expect(paper).toContain('Permission is hereby granted');
  expect(paper).toContain('Apache License');
  expect(paper).not.toContain('/registry/');
});

test.describe('an API that does not allow the site @hosting', () => {
  test.use({ provoked: /has been blocked by CORS policy/ });

  test('is told apart in words, with the way out', async ({ page, retake }) => {
    for (const { url } of HOSTS.slice(0, 1)) {
      await page.goto(url);
      await page.getByRole('radio', { name: /^Direct/ }).check();
      await retake.hook('sign-in-token').fill('test-token');
      await retake.hook('sign-in-token-submit').click();
      const notice = page.locator('.notice[data-tone=error]').first();
      await expect(notice).toContainText('does not allow this site', { timeout: 40_000 });
      await expect(notice).toContainText('docs/hosting.md');
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    }
  });
});

test('hosts are known @hosting', () => {
  expect(HOSTS.length, 'cargo xtask test --only hosting names them').toBeGreaterThanOrEqual(2);
});


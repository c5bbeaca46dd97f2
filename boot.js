// Retake's first script. It checks what the app needs, admits the app's own
// static markup and nothing else, loads the app, loads it anew should it break
// off, and says in words what went wrong. `cargo xtask` fills in names, hashes and
// markup when it builds the site (xtask/src/finish.rs), and takes the comments out.
//
// It is a file of its own so that the content security policy needs no inline
// script. Every address is relative to this file, so the site may live below
// any path.

const APP = '{{app}}';
const WASM = '{{wasm}}';
const WASM_INTEGRITY = '{{wasm-integrity}}';
// The markup that the app's code was compiled with, and no other, may become
// elements; collected from the compiled app (xtask/src/templates.rs).
const MARKUP = new Set({{markup}});
// Files of this site that may run as workers.
const SCRIPTS = {{scripts}};

const at = (name) => new URL(name, import.meta.url).href;

function say(words) {
  const place = document.querySelector('.boot p');
  if (place) place.textContent = words;
  document.querySelector('.boot')?.setAttribute('data-failed', '');
}

// Throws where the browser enforces Trusted Types; elsewhere there is no policy.
function admitOnlyOurMarkup() {
  const refuse = (what) => {
    throw new TypeError(`Retake admits no ${what} but its own.`);
  };
  globalThis.trustedTypes?.createPolicy('default', {
    createHTML: (text) => (MARKUP.has(text) ? text : refuse('markup')),
    createScriptURL: (url) =>
      SCRIPTS.some((name) => at(name) === new URL(url, location.href).href) ? url : refuse('script'),
  });
}

// What became of a file that did not load.
async function fate(name) {
  try {
    const answer = await fetch(at(name), { cache: 'no-store' });
    if (answer.status === 404) {
      return 'A part of Retake is missing on this site. It was probably just updated: load the page again.';
    }
    if (!answer.ok) return `This site answers ${answer.status} for a part of Retake. Try again in a while.`;
    const type = answer.headers.get('content-type') ?? '';
    if (type.includes('text/html')) {
      return 'This site sends a web page in place of a part of Retake. Its fallback rule catches too much; the one who hosts it finds the rules in docs/hosting.md.';
    }
    return 'A part of Retake arrived changed or was not allowed to run. A filter in this browser or network may be in the way: load the page again, or without the filter.';
  } catch {
    return navigator.onLine
      ? 'A part of Retake was blocked on its way. A filter in this browser or network may be in the way.'
      : 'This computer is offline. Load the page again once it is not.';
  }
}

// When the app broke off in this tab, for this script; and that it did, for the app,
// which says so and takes it back.
const STOPS = 'retake-stops';
const STOPPED = 'retake-stopped';
const STOPS_MS = 5 * 60_000;

function stops() {
  try {
    const times = JSON.parse(sessionStorage.getItem(STOPS) ?? '[]');
    return times.filter((time) => time > Date.now() - STOPS_MS);
  } catch {
    return [];
  }
}

// A program that breaks off does so between any two steps, and what is left of it would
// go on with the half of them. So none of it does: the page is loaded anew, and what was
// supervised goes on from the journal. Not more than twice in a row.
function stop(error) {
  // Until the page is gone, too.
  globalThis.fetch = () => new Promise(() => {});
  try {
    sessionStorage.setItem(STOPS, JSON.stringify([...stops(), Date.now()]));
    sessionStorage.setItem(STOPPED, 'yes');
  } catch {
    // It would be loaded again and again.
    document.title = 'Retake has stopped';
    document.body.textContent = `Retake has stopped by a mistake of its own (${error.message}). Load the page again.`;
    return;
  }
  location.reload();
}

// A trap ends the program wherever it is noticed; so does an error that was thrown through it.
// A promise that was merely refused does not, wherever it was made.
function watch() {
  let stopped = false;
  const hear = (error, isOfTheApp) => {
    if (stopped || !(isOfTheApp || error instanceof WebAssembly.RuntimeError)) return;
    stopped = true;
    stop(error);
  };
  const listening = new AbortController();
  const { signal } = listening;
  addEventListener('error', ({ error }) => hear(error, error instanceof Error && /wasm-function/.test(error.stack ?? '')), { signal });
  addEventListener('unhandledrejection', (event) => hear(event.reason, false), { signal });
  return listening;
}

async function start() {
  if (window.top !== window.self) {
    return say('Retake does not run inside another page, so that nobody can lay one over its buttons. Open it in a tab of its own.');
  }
  if (typeof WebAssembly !== 'object' || !WebAssembly.instantiateStreaming) {
    return say('This browser does not run WebAssembly, or it is switched off (as in a lockdown mode). Retake needs it: allow it for this site, or use a current browser.');
  }
  if (stops().length > 1) {
    // Whoever loads the page again means it.
    sessionStorage.removeItem(STOPS);
    document.title = 'Retake has stopped';
    return say('Retake has stopped twice within five minutes, by a mistake of its own, and does not start again by itself. What it supervised goes on once you load the page again. Should it stop once more, “resim batches supervise” is the way to go on.');
  }
  try {
    admitOnlyOurMarkup();
  } catch {
    return say('Something else has taken the place of this page’s guard against foreign markup, most likely a browser extension. Switch it off for this site.');
  }
  const wasm = fetch(at(WASM), { integrity: WASM_INTEGRITY, credentials: 'same-origin' });
  // The failure is handled below, where it is awaited.
  wasm.catch(() => {});
  let app;
  try {
    app = await import(at(APP));
  } catch {
    return say(await fate(APP));
  }
  try {
    const answer = await wasm;
    if (!answer.ok) throw new TypeError(String(answer.status));
  } catch {
    return say(await fate(WASM));
  }
  const listening = watch();
  try {
    await app.default({ module_or_path: wasm });
  } catch (error) {
    listening.abort();
    const blocked = error instanceof WebAssembly.CompileError && /content security policy|unsafe-eval/i.test(error.message);
    say(
      blocked
        ? 'This site’s server does not allow WebAssembly: its Content-Security-Policy needs \'wasm-unsafe-eval\' in script-src. The one who hosts it finds the headers in docs/hosting.md.'
        : `Retake could not start: ${error?.message ?? error}`,
    );
    throw error;
  }
}

await start();

// Keeps the refresh token where no script of the page reaches it: the provider's
// answers arrive here, and leave without it. What the page may ask for:
//
//   grant   a code (or a device's poll) becomes tokens; the refresh token stays
//           here, bound to the endpoint, client and revocation address that came
//           with the grant; the answer carries a number that stands for it
//   renew   new tokens with the one that has this number
//   forget  the token is made worthless at the provider, and forgotten; with a number,
//           only that one
//
// No answer holds the token, and after the grant the page names no address.
'use strict';

// The longest answer that is read, in bytes.
const MAX_BYTES = 10 * 1024 * 1024;
// How long the provider may take, in milliseconds.
const LIMIT = 30_000;
// The same for a renewal, whose answer may be lost with the next token in it: three
// tries are over within 30 s, for which a provider lets the token before it overlap.
const RENEWAL_LIMIT = 8_000;

// { number, token, endpoint, client, revoke }, or nothing.
let kept = null;
// Grants are numbered as they are sent; the latest of which a token was kept.
let [sent, newest] = [0, 0];
// One renewal after the other: a token that rotates is never sent twice at once.
// Another grant begins a line of its own, for the renewal before may hang.
let turn = Promise.resolve();

async function read(answer) {
  const reader = answer.body?.getReader();
  const decoder = new TextDecoder();
  let [text, size] = ['', 0];
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true };
    if (done) return text + decoder.decode();
    size += value.length;
    if (size > MAX_BYTES) {
      // The rest is not wanted; whether that can be said does not matter.
      reader.cancel().catch(() => {});
      throw new RangeError(`the answer is longer than ${MAX_BYTES / 1024 / 1024} MB`);
    }
    text += decoder.decode(value, { stream: true });
  }
}

// The cookies of another site never go along. Those of this very site do, so
// that the exchange shares no connection with a rerun, which goes without: a
// browser may send a POST again over a connection that was used before.
function post(endpoint, form, more) {
  return fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: form,
    credentials: 'same-origin',
    redirect: 'error',
    cache: 'no-store',
    signal: AbortSignal.timeout(LIMIT),
    ...more,
  });
}

// Sends a form to a token endpoint; gives the answer without its refresh token,
// and that one apart. What is no JSON object may hold it anywhere, so nothing
// of it leaves.
async function exchange(endpoint, form, limit = LIMIT) {
  const answer = await post(endpoint, form, { signal: AbortSignal.timeout(limit) });
  const { status } = answer;
  const text = await read(answer);
  let given;
  try {
    given = JSON.parse(text);
  } catch {
    return { status, body: '' };
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return { status, body: '' };
  const { refresh_token: token, ...rest } = given;
  return { status, body: JSON.stringify(rest), error: given.error, token: typeof token === 'string' && token ? token : null };
}

// Whether a refusal is the provider's own word; as `renewal::is_answered` of the core.
function isAnswered(status) {
  return status < 500 && ![408, 425, 429].includes(status);
}

function end({ token, client, revoke }) {
  const form = new URLSearchParams({ token, token_type_hint: 'refresh_token', client_id: client });
  // Also when the page is gone before the answer is there.
  return post(revoke, form.toString(), { keepalive: true });
}

const acts = {
  async grant({ endpoint, form, client, revoke }) {
    sent += 1;
    const number = sent;
    const { status, body, token } = await exchange(endpoint, form);
    if (status !== 200 || !token) return { status, body };
    if (number < newest) {
      // A later sign-in was quicker: this one takes nothing from it.
      if (revoke) end({ token, client, revoke }).catch(() => {});
      return { status, body };
    }
    newest = number;
    kept = { number, token, endpoint, client, revoke };
    turn = Promise.resolve();
    return { status, body, kept: number };
  },

  async renew({ number }) {
    const used = kept;
    // Another sign-in has taken its place, or nothing has.
    if (used?.number !== number) return { status: 400, body: '{"error":"invalid_grant"}' };
    const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: used.token, client_id: used.client });
    const { status, body, error, token } = await exchange(used.endpoint, form.toString(), RENEWAL_LIMIT);
    if (kept !== used) {
      // Forgotten meanwhile: what came too late is not left alive.
      if (token && used.revoke) end({ ...used, token }).catch(() => {});
      return { status, body };
    }
    if (status === 200) {
      // Without rotation the old one goes on.
      kept = { ...used, token: token ?? used.token };
    } else if (error === 'invalid_grant' && isAnswered(status)) {
      kept = null;
    }
    return { status, body, kept: number };
  },

  async forget({ number }) {
    const used = kept;
    if (number !== undefined && used?.number !== number) return { told: true };
    kept = null;
    if (!used?.revoke) return { told: !used };
    return { told: (await end(used)).ok };
  },
};

onmessage = async ({ data }) => {
  const { id, act, ...what } = data;
  const perform = () => acts[act](what);
  // A sign-in or a sign-out waits for no renewal that hangs.
  const done = act === 'renew' ? (turn = turn.then(perform, perform)) : perform();
  const answer = await done.catch((error) => ({ failed: String(error?.message ?? error) }));
  postMessage({ id, ...answer });
};

// The page waits for this before it trusts anything to this worker.
postMessage({ ready: true });

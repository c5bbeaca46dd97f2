// The floor: the same tests in a table of plain JavaScript, without framework,
// sign-in, polling or accessibility. Whatever a page does, it does no less.
const HEIGHT = 34;
const words = ['BLOCKER', 'ERROR', 'WARNING', 'PASSED', 'CANCELLED', 'RUNNING', 'QUEUED'];
const hook = (name) => document.querySelector(`[data-testid="${name}"]`);
const scroller = document.getElementById('scroller');
const body = document.getElementById('rows');
const compare = new Intl.Collator('en', { numeric: true }).compare;

const tests = [];
let order = [];
const wanted = new Set();
const ticked = new Set();
let text = '';
let reversed = false;

function arrange() {
  const needle = text.toLowerCase();
  order = tests.filter(
    (it) => (wanted.size === 0 || wanted.has(it.status)) && it.lower.includes(needle),
  );
  if (reversed) order.reverse();
  draw();
}

function draw() {
  hook('row-count').textContent = `${order.length} of ${tests.length} tests`;
  hook('row-count').dataset.count = String(order.length);
  body.style.blockSize = `${order.length * HEIGHT}px`;
  const first = Math.max(0, Math.floor(scroller.scrollTop / HEIGHT) - 10);
  const last = Math.min(order.length, first + Math.ceil(scroller.clientHeight / HEIGHT) + 20);
  const shown = document.createDocumentFragment();
  for (let n = first; n < last; n++) {
    const it = order[n];
    const row = document.createElement('div');
    row.className = 'row';
    row.style.top = `${n * HEIGHT}px`;
    row.dataset.testid = 'job-row';
    row.dataset.jobId = it.id;
    row.dataset.status = it.status;
    const tick = document.createElement('input');
    tick.type = 'checkbox';
    tick.dataset.testid = 'job-select';
    tick.checked = ticked.has(it.id);
    tick.onclick = (event) => pick(n, tick.checked, event.shiftKey);
    const name = document.createElement('a');
    name.className = 'row__name';
    name.textContent = it.name;
    const status = document.createElement('span');
    status.textContent = it.status;
    const run = document.createElement('span');
    run.textContent = it.run;
    const error = document.createElement('span');
    error.textContent = it.error;
    row.append(tick, name, status, run, error);
    shown.append(row);
  }
  body.replaceChildren(shown);
}

let from = 0;
function pick(n, on, isRange) {
  const [low, high] = isRange ? [Math.min(from, n), Math.max(from, n)] : [n, n];
  for (let at = low; at <= high; at++) on ? ticked.add(order[at].id) : ticked.delete(order[at].id);
  from = n;
  if (isRange) draw();
}

for (const word of words) {
  const chip = document.createElement('button');
  chip.textContent = word;
  chip.dataset.testid = `status-chip-${word}`;
  chip.onclick = () => {
    if (!wanted.delete(word)) wanted.add(word);
    arrange();
  };
  document.getElementById('chips').append(chip);
}
hook('text-filter').oninput = (event) => {
  text = event.target.value;
  arrange();
};
hook('select-all').onchange = (event) => {
  for (const it of order) event.target.checked ? ticked.add(it.id) : ticked.delete(it.id);
  draw();
};
document.querySelector('[data-bench=sort]').onclick = () => {
  reversed = !reversed;
  arrange();
};
scroller.onscroll = draw;

const [project, batch] = location.hash.slice(1).split('/');
let token = '';
do {
  const query = `pageSize=100${token ? `&pageToken=${encodeURIComponent(token)}` : ''}`;
  const answer = await fetch(`/v1/projects/${project}/batches/${batch}/jobs?${query}`, {
    headers: { Authorization: 'Bearer test-token' },
  });
  const page = await answer.json();
  for (const job of page.jobs) {
    tests.push({
      id: job.jobID,
      name: job.experienceName,
      lower: `${job.experienceName} ${job.executionErrors?.[0]?.errorText ?? ''}`.toLowerCase(),
      status: job.conflatedStatus,
      run: job.runCounter,
      error: job.executionErrors?.[0]?.errorText ?? '',
    });
  }
  token = page.nextPageToken ?? '';
  if (tests.length === page.jobs.length) arrange();
} while (token);
tests.sort((a, b) => compare(a.name, b.name));
arrange();
document.documentElement.dataset.loaded = '';

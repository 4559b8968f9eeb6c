const EVERY_MS = 2000;
const shown = (id) => document.getElementById(id);
const NUMBER = new Intl.NumberFormat('en');

/** Makes an element; what is in it is text or elements, never markup. */
function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function stateOf({ mode, delayMs }) {
  if (mode === 'none') return ['good', 'works'];
  return mode === 'slow' ? ['warn', `slow, ${delayMs} ms`] : ['bad', mode];
}

/** One row; the same element for as long as there is such a process, so that a selection in it stays. */
function row(key, cells) {
  const known = shown(key);
  const texts = cells.map(({ text }) => text);
  if (known?.dataset.texts === texts.join('\n')) return known;
  const made = element('tr', { id: key });
  made.dataset.texts = texts.join('\n');
  for (const [index, { text, kind, href, className }] of cells.entries()) {
    const inside = href === undefined ? text : element('a', { href }, text);
    const cell =
      index === 0
        ? element('th', { scope: 'row' }, inside)
        : element('td', { className: className ?? '' }, inside);
    if (kind !== undefined) cell.replaceChildren(element('span', { className: `state ${kind}` }, text));
    made.append(cell);
  }
  return made;
}

function gatewayRows({ url, adminUrl, runs }, index) {
  const state = { text: runs ? 'works' : 'ended', kind: runs ? 'good' : 'bad' };
  const name = index === 0 ? 'gateway' : `gateway ${index + 1}`;
  return [
    row(`row-${name}`, [
      { text: name },
      { text: 'for clients' },
      address(url, `${url}/`),
      state,
      { text: '' },
    ]),
    row(`row-${name}-admin`, [
      { text: `${name}, operators` },
      { text: 'console, metrics, orders' },
      address(adminUrl, `${adminUrl}/`),
      state,
      { text: '' },
    ]),
  ];
}

function serviceRow({ name, role, url, fault, requests }) {
  const [kind, text] = stateOf(fault);
  const count = { text: NUMBER.format(requests), className: 'number' };
  return row(`row-${name}`, [{ text: name }, { text: role }, address(url), { text, kind }, count]);
}

const address = (text, href) => ({ text: text.replace(/^\w+:\/\//, ''), href, className: 'address' });

function redisRow(redis) {
  const state = redis === null ? { text: 'not used', kind: 'off' } : { text: 'used', kind: 'good' };
  const about = redis === null ? 'state is in the process; REDIS_URL shares it' : 'limits and sessions';
  return row('row-redis', [{ text: 'redis' }, { text: about }, address(redis ?? ''), state, { text: '' }]);
}

function showProcesses({ gateways, services, redis }) {
  const rows = [...gateways.flatMap(gatewayRows), ...services.map(serviceRow), redisRow(redis)];
  const body = shown('processes');
  if (rows.some((one, index) => one !== body.children[index])) body.replaceChildren(...rows);
}

function showSteps(steps) {
  if (shown('steps').children.length === steps.length) return;
  shown('steps').replaceChildren(
    ...steps.map(({ shows, command }) => {
      const code = element('code', {}, command);
      const button = element('button', { type: 'button', className: 'copy' }, 'Copy');
      button.setAttribute('aria-label', `Copy: ${shows.replaceAll('`', '')}`);
      button.addEventListener('click', () => void copy(button, code));
      return element(
        'li',
        {},
        element('p', {}, ...withCode(shows)),
        element('div', { className: 'command' }, element('pre', { tabIndex: 0 }, code), button),
      );
    }),
  );
}

/** Text in which backticks mark code. */
const withCode = (text) =>
  text.split('`').map((part, index) => (index % 2 === 1 ? element('code', {}, part) : part));

async function copy(button, code) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    say('Copied.');
    button.textContent = 'Copied';
  } catch {
    // Not allowed to: then it is one key away.
    getSelection().selectAllChildren(code);
    say('Selected; copy it with the keyboard.');
    button.textContent = 'Selected';
  }
  setTimeout(() => (button.textContent = 'Copy'), EVERY_MS);
}

const say = (text) => (shown('said').textContent = text);

function showTraffic({ flows, sent }) {
  const many = `${NUMBER.format(sent)} so far`;
  shown('traffic-state').textContent = flows
    ? `Sample traffic: about two requests a second of all kinds, ${many}. You share no limit with it.`
    : `Sample traffic is off, ${many}.`;
  shown('traffic').hidden = false;
  shown('traffic').textContent = flows ? 'Stop it' : 'Start it';
  shown('traffic').dataset.flows = String(flows);
}

function showLinks({ gateways: [first] }) {
  const place = first.adminUrl.replace('http://', '');
  shown('console').href = `${first.adminUrl}/`;
  shown('console-address').textContent = `${place}/`;
  shown('metrics-address').textContent = `${place}/metrics`;
}

function judge(kind, text) {
  const verdict = shown('verdict');
  verdict.className = `state ${kind}`;
  if (verdict.textContent !== text) verdict.textContent = text;
}

function verdictOf({ gateways, services }) {
  const broken = services.filter(({ fault }) => fault.mode !== 'none').map(({ name }) => name);
  if (broken.length > 0) return judge('warn', `Running; switched: ${broken.join(', ')}`);
  const many = gateways.length === 1 ? 'a gateway' : `${gateways.length} gateways`;
  return judge('good', `Running: ${many}, ${services.length} services`);
}

async function look() {
  try {
    const answer = await fetch('/demo/about.json', { cache: 'no-store' });
    if (!answer.ok) throw new Error(`${answer.status}`);
    const about = await answer.json();
    showLinks(about);
    showSteps(about.steps);
    showProcesses(about);
    showTraffic(about.traffic);
    verdictOf(about);
  } catch (error) {
    judge('bad', error instanceof TypeError ? 'The demo has ended' : `No answer: ${error.message}`);
  }
}

async function keepLooking() {
  if (!document.hidden) await look();
  setTimeout(keepLooking, EVERY_MS);
}

shown('traffic').addEventListener('click', async ({ target }) => {
  await fetch('/demo/traffic', {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ flows: target.dataset.flows !== 'true' }),
  }).catch(() => undefined);
  await look();
});
document.addEventListener('visibilitychange', () => document.hidden || void look());
await keepLooking();

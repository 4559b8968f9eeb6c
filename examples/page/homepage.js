import { listen, overGraphql, overRest, services, setService, tokenOf } from './gateway.js';
import { liveLine, renderFace, renderFailure } from './render.js';

/** What a switch on the page stands for. */
const INSTANCES = { users: ['users-1', 'users-2'], feed: ['feed'], notifications: ['notifications'] };
const RECONNECT_MS = 2000;
const MAX_LINES = 8;

const user = document.querySelector('#user');
const verdict = document.querySelector('#verdict');
const switches = [...document.querySelectorAll('[data-service]')];
const faces = [
  [document.querySelector('#rest'), overRest],
  [document.querySelector('#graphql'), overGraphql],
];
let asked = 0;
let listening = new AbortController();

/** Asks both faces at once and compares what they say; an older answer never covers a newer one. */
async function refresh() {
  const turn = (asked += 1);
  for (const [panel] of faces) panel.setAttribute('aria-busy', 'true');
  const token = await tokenOf(user.value);
  const answers = await Promise.all(faces.map(([panel, ask]) => answerOf(panel, () => ask(token), turn)));
  if (turn === asked) compare(answers);
}

async function answerOf(panel, ask, turn) {
  try {
    const answer = await ask();
    if (turn === asked) renderFace(panel, answer);
    return answer;
  } catch (error) {
    if (turn === asked) renderFailure(panel, error);
    return undefined;
  }
}

function compare([rest, graphql]) {
  const isSame = rest !== undefined && graphql !== undefined && substanceOf(rest) === substanceOf(graphql);
  verdict.dataset.kind = isSame ? 'good' : 'bad';
  verdict.textContent = isSame ? 'Both faces say the same' : 'The faces differ';
}

/** What a face said about the page, whatever the order of fields and the form of its problems. */
function substanceOf({ page, degraded, problems }) {
  const codes = problems.map(({ code, section }) => [code, section]);
  return JSON.stringify({ page, degraded, codes }, (_key, value) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

async function signIn() {
  listening.abort();
  listening = new AbortController();
  document.querySelector('#live').replaceChildren();
  void keepListening(listening.signal);
  await refresh();
}

/** Listens again after a while whenever the stream ends: with the token, with the gateway, with the network. */
async function keepListening(signal) {
  const state = document.querySelector('#live-state');
  const lines = document.querySelector('#live');
  while (!signal.aborted) {
    let reason = 'the stream has ended';
    try {
      const onOpen = () => (state.textContent = 'Listening to the subscription, over Server-Sent Events.');
      const onNotification = (heard) => {
        lines.prepend(liveLine(heard));
        while (lines.children.length > MAX_LINES) lines.lastElementChild.remove();
      };
      await listen(await tokenOf(user.value), onNotification, onOpen, signal);
    } catch (error) {
      reason = error.message;
    }
    if (signal.aborted) return;
    state.textContent = `Not connected: ${reason}. Trying again.`;
    await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
  }
}

async function turn({ target }) {
  const { service } = target.dataset;
  await Promise.all(INSTANCES[service].map((name) => setService(name, target.checked)));
  await refresh();
}

async function showSwitches() {
  const known = await services();
  for (const one of switches) one.checked = INSTANCES[one.dataset.service].every((name) => known.get(name));
}

/** Says on the page what went wrong with a wish of the user. */
function guarded(action) {
  return async (event) => {
    try {
      await action(event);
    } catch (error) {
      verdict.dataset.kind = 'bad';
      verdict.textContent = String(error);
    }
  };
}

user.addEventListener('change', guarded(signIn));
for (const one of switches) one.addEventListener('change', guarded(turn));
document.querySelector('#refresh').addEventListener(
  'click',
  guarded(async () => Promise.all([showSwitches(), refresh()])),
);
await guarded(async () => Promise.all([showSwitches(), signIn()]))();

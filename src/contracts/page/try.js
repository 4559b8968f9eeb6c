// Sends an operation to the gateway that serves the page, and nowhere else.
import { credentialFields } from './access.js';
import { el } from './dom.js';
import { example } from './example.js';
import { addressOf, fieldsOf } from './request.js';

/** Of a body so much is shown; a stream ends there. */
const MOST_CHARACTERS = 200_000;

export function tryView(api, { path, method, operation }) {
  const { parameters = [], requestBody } = operation;
  const inputs = parameters.map((one) => [`${one.in} ${one.name}`, parameterInput(one)]);
  const [type, media] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  const body = type === undefined ? undefined : bodyInput(api, type, media);
  const outcome = el('div', { class: 'outcome', role: 'status', 'aria-live': 'polite' });
  const send = el('button', { type: 'submit' }, 'Send');
  const stop = el('button', { type: 'button', hidden: true }, 'Stop');
  const ask = (signal) => {
    const values = new Map(inputs.map(([key, input]) => [key, input.value]));
    const headers = { ...credentialFields(), ...fieldsOf(parameters, values) };
    if (type !== undefined && type !== '*/*') headers['content-type'] = type;
    const url = new URL(addressOf(path, parameters, values), new URL('.', document.baseURI));
    const init = { method: method.toUpperCase(), headers, signal, redirect: 'manual', cache: 'no-store' };
    return fetch(url, body === undefined || body.value === '' ? init : { ...init, body: body.value });
  };
  const onsubmit = (event) => {
    event.preventDefault();
    void run(ask, { outcome, send, stop });
  };
  const labels = inputs.map(([key, input]) => el('label', {}, el('code', {}, key), input));
  const about = body === undefined ? [] : [el('label', {}, el('code', {}, `body, ${type}`), body)];
  const form = el('form', { onsubmit, autocomplete: 'off' }, ...labels, ...about, send, stop);
  return el('details', { class: 'try' }, el('summary', {}, 'Send it from here'), form, outcome);
}

function parameterInput({ name, in: place, schema, required, description }) {
  const facts = {
    name: `${place} ${name}`,
    required: required === true && !/rest/.test(name),
    title: description,
  };
  if (schema.enum === undefined) {
    const hint =
      schema.type === 'array' ? 'with commas between them' : schema.type === 'object' ? 'a=1&b=2' : '';
    return el('input', { ...facts, placeholder: hint, spellcheck: 'false' });
  }
  const options = (required ? schema.enum : ['', ...schema.enum]).map((one) => el('option', {}, String(one)));
  return el('select', facts, ...options);
}

function bodyInput(api, type, media) {
  const input = el('textarea', { rows: 6, spellcheck: 'false' });
  if (media.schema !== undefined)
    input.value = JSON.stringify(example(api, media.schema), null, type.includes('ndjson') ? 0 : 2);
  return input;
}

async function run(ask, { outcome, send, stop }) {
  const controller = new AbortController();
  const abort = () => controller.abort();
  stop.addEventListener('click', abort);
  [send.disabled, stop.hidden] = [true, false];
  outcome.replaceChildren('Asking …');
  const began = performance.now();
  try {
    const answer = await ask(controller.signal);
    const shown = el('pre', { tabindex: 0 }, '');
    outcome.replaceChildren(el('p', {}, statusOf(answer, began)), headView(answer), shown);
    await showBody(answer, shown);
  } catch (error) {
    const reason = controller.signal.aborted ? 'Stopped.' : `No answer: ${error.message}`;
    outcome.append(el('p', { role: 'alert' }, reason));
  } finally {
    stop.removeEventListener('click', abort);
    [send.disabled, stop.hidden] = [false, true];
  }
}

function statusOf({ type, status, statusText }, began) {
  if (type === 'opaqueredirect') return 'A redirect, which browsers do not show.';
  return `${status} ${statusText} after ${Math.round(performance.now() - began)} ms`;
}

function headView({ headers }) {
  const lines = [...headers].map(([name, value]) => `${name}: ${value}`).join('\n');
  return el('details', {}, el('summary', {}, 'Header fields'), el('pre', {}, lines));
}

async function showBody(answer, shown) {
  if (answer.body === null) return;
  const decoder = new TextDecoder();
  const reader = answer.body.getReader();
  let text = '';
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    text += decoder.decode(chunk.value, { stream: true });
    shown.textContent = text.slice(0, MOST_CHARACTERS);
    if (text.length <= MOST_CHARACTERS) continue;
    shown.textContent += '\n… and more';
    return void reader.cancel();
  }
  if (/json/.test(answer.headers.get('content-type') ?? '')) shown.textContent = indented(text);
}

function indented(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

import { copyable, el, prose } from './dom.js';
import { curlOf } from './example.js';
import { tryView } from './try.js';
import { fieldTable, resolved, schemaView } from './schema.js';

function factsOf(operation) {
  const { rates = [], bodyBytes, deadlineMs } = operation['x-gatehouse-limits'] ?? {};
  const schemes = operation.security.flatMap((one) => Object.keys(one));
  const facts = [
    schemes.length === 0 ? 'open to everybody' : `needs ${schemes.join(' or ')}`,
    ...Object.entries(operation['x-gatehouse-authorization'] ?? {}).map(
      ([kind, names]) => `${kind}: ${names.join(', ')}`,
    ),
    ...rates.map(
      ({ key, rate, perSeconds, burst }) => `${rate} per ${perSeconds} s and ${key}, burst ${burst}`,
    ),
    bodyBytes === undefined ? '' : `body up to ${bodyBytes} bytes`,
    deadlineMs === undefined ? '' : `answers within ${deadlineMs} ms`,
  ];
  const items = facts.filter((fact) => fact !== '').map((fact) => el('li', {}, fact));
  if (operation.deprecated) items.unshift(el('li', { class: 'warning' }, 'deprecated'));
  return el('ul', { class: 'facts', 'aria-label': 'Access and limits' }, items);
}

function parametersView(operation) {
  const { parameters = [] } = operation;
  if (parameters.length === 0) return [];
  const fields = parameters.map(({ name, schema, in: place, required, description }) => ({
    name,
    schema,
    note: required ? `${place}, required` : place,
    description,
  }));
  return [el('h4', {}, 'Parameters'), fieldTable('Parameters', fields)];
}

function bodyView(api, operation) {
  const { requestBody } = operation;
  if (requestBody === undefined) return [];
  const views = Object.entries(requestBody.content).flatMap(([type, { schema }]) => [
    el('p', { class: 'quiet' }, type),
    ...(schema === undefined ? [] : schemaView(api, schema, 'Body')),
  ]);
  return [
    el('h4', {}, 'Body'),
    requestBody.description ? el('p', {}, ...prose(requestBody.description)) : '',
    ...views,
  ];
}

function answersView(api, operation) {
  const views = Object.entries(operation.responses).map(([status, reference]) => {
    const answer = resolved(api, reference);
    const isGood = status.startsWith('2') || status === 'default';
    const codes = answer['x-gatehouse-codes'] ?? [];
    const contents = Object.entries(answer.content ?? {}).flatMap(([type, { schema }]) => [
      el('p', { class: 'quiet' }, type),
      ...(schema === undefined || codes.length > 0 ? [] : schemaView(api, schema, `Answer ${status}`)),
    ]);
    const fields = Object.keys(answer.headers ?? {});
    const summary =
      codes.length > 0
        ? codes.flatMap((code, index) => [index > 0 ? ', ' : '', el('code', {}, code)])
        : prose(answer.description);
    return el(
      'details',
      { open: isGood },
      el('summary', {}, el('strong', {}, status), ' ', ...summary),
      codes.length > 0 ? el('p', {}, ...prose(answer.description)) : '',
      ...contents,
      fields.length > 0 ? el('p', { class: 'quiet' }, `Header fields: ${fields.join(', ')}`) : '',
    );
  });
  return [el('h4', {}, 'Answers'), ...views];
}

function variantsView(operation) {
  const variants = operation['x-gatehouse-variants'] ?? [];
  if (variants.length === 0) return [];
  const items = variants.map(({ route, path, hosts = [], headers = {} }) => {
    const conditions = [...hosts, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)];
    return el(
      'li',
      {},
      el('code', {}, path),
      ` (${route})`,
      conditions.length > 0 ? ` when ${conditions.join(', ')}` : '',
    );
  });
  return [el('h4', {}, 'Answered elsewhere'), el('ul', {}, items)];
}

export function operationView(api, entry) {
  const { path, method, operation } = entry;
  return el(
    'article',
    { id: operation.operationId, 'aria-labelledby': `name-${operation.operationId}` },
    el(
      'h3',
      { id: `name-${operation.operationId}` },
      el('span', { class: 'method', 'data-method': method }, method),
      el('span', { class: 'path' }, path),
    ),
    el(
      'p',
      {},
      operation.summary ?? '',
      operation.summary ? ' ' : '',
      el('code', { class: 'quiet' }, operation.operationId),
    ),
    operation.description ? el('p', {}, ...prose(operation.description)) : '',
    factsOf(operation),
    ...parametersView(operation),
    ...bodyView(api, operation),
    ...answersView(api, operation),
    ...variantsView(operation),
    el('h4', {}, 'Try it'),
    copyable(curlOf(api, entry), 'command'),
    tryView(api, entry),
  );
}

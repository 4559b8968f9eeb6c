import { el, prose } from './dom.js';

export function resolved(api, value) {
  if (value?.$ref === undefined) return value ?? {};
  const steps = value.$ref.slice(2).split('/');
  return steps.reduce((at, step) => at?.[step.replaceAll('~1', '/').replaceAll('~0', '~')], api) ?? {};
}

function nameOf(schema) {
  return schema?.$ref?.split('/').at(-1);
}

/** The type of a schema in one line, with links to those that have a name. */
function typeOf(schema) {
  if (schema === undefined || schema === true) return ['anything'];
  const name = nameOf(schema);
  if (name !== undefined) return [el('a', { href: `#schema-${name}` }, name)];
  if (schema.const !== undefined) return [el('code', {}, JSON.stringify(schema.const))];
  if (schema.enum !== undefined)
    return alternatives(schema.enum.map((one) => [el('code', {}, JSON.stringify(one))]));
  const several = schema.anyOf ?? schema.oneOf;
  if (several !== undefined) return alternatives(several.map(typeOf));
  if (schema.allOf !== undefined)
    return schema.allOf.flatMap((one, index) => (index > 0 ? [' & ', ...typeOf(one)] : typeOf(one)));
  if (schema.type === 'array') return ['list of ', ...typeOf(schema.items)];
  if (schema.properties !== undefined) return ['object'];
  if (typeof schema.additionalProperties === 'object')
    return ['map of ', ...typeOf(schema.additionalProperties)];
  const types = [schema.type ?? 'anything'].flat().join(' or ');
  return [schema.format === undefined ? types : `${types} (${schema.format})`];
}

function alternatives(types) {
  return types.flatMap((type, index) => (index > 0 ? [' or ', ...type] : type));
}

function limitsOfValue(schema) {
  const said = [
    ['default', schema.default],
    ['at least', schema.minimum],
    ['at most', schema.maximum],
    ['shortest', schema.minLength],
    ['longest', schema.maxLength],
    ['fewest', schema.minItems],
    ['most', schema.maxItems],
  ].filter(([, value]) => value !== undefined);
  return said.map(([label, value]) => `${label} ${JSON.stringify(value)}`).join(', ');
}

function fieldsOf(schema) {
  const required = new Set(schema.required);
  return Object.entries(schema.properties ?? {}).map(([name, one]) => ({
    name,
    schema: one,
    note: required.has(name) ? 'required' : '',
    description: one.description,
  }));
}

export function fieldTable(caption, fields) {
  const rows = fields.map(({ name, schema, note, description }) =>
    el(
      'tr',
      {},
      el('th', { scope: 'row' }, el('code', {}, name)),
      el('td', {}, ...typeOf(schema)),
      el('td', { class: 'quiet' }, note),
      el(
        'td',
        {},
        ...prose(description ?? ''),
        description && limitsOfValue(schema) ? ' ' : '',
        el('span', { class: 'quiet' }, limitsOfValue(schema)),
      ),
    ),
  );
  const heads = ['Name', 'Type', '', 'About'].map((text) =>
    el('th', { scope: 'col' }, text || el('span', { class: 'hidden' }, 'Note')),
  );
  const table = el(
    'table',
    {},
    el('caption', { class: 'hidden' }, caption),
    el('thead', {}, el('tr', {}, heads)),
    el('tbody', {}, rows),
  );
  return el('div', { class: 'scroll' }, table);
}

/** A schema as far as one line does not say it all: its fields, and those of objects inside it. */
export function schemaView(api, schema, caption, isEntry = false) {
  const target = schema?.type === 'array' ? schema.items : schema;
  const { properties, required } = resolved(api, target);
  const line = isEntry ? '' : el('p', {}, ...typeOf(schema));
  if (properties === undefined) return [isEntry ? el('p', {}, ...typeOf(schema)) : line];
  // What has a name has a place of its own on the page, where its fields are shown.
  const inner = Object.entries(properties).filter(([, one]) => one.properties ?? one.items?.properties);
  return [
    line,
    fieldTable(caption, fieldsOf({ properties, required })),
    ...inner.map(([name, one]) =>
      el('details', {}, el('summary', {}, el('code', {}, name)), ...schemaView(api, one, name)),
    ),
  ];
}

export function schemasView(api) {
  return Object.entries(api.components.schemas).map(([name, schema]) =>
    el(
      'section',
      { id: `schema-${name}`, class: 'schema-entry' },
      el('h3', {}, name),
      schema.description ? el('p', {}, ...prose(schema.description)) : '',
      ...schemaView(api, schema, name, true),
    ),
  );
}

import { resolved } from './schema.js';

const DEEPEST_EXAMPLE = 6;

export function example(api, schema, depth = 0) {
  const one = resolved(api, schema);
  if (one.example !== undefined) return one.example;
  if (one.default !== undefined) return one.default;
  if (one.const !== undefined) return one.const;
  if (one.enum !== undefined) return one.enum[0];
  const first = (one.anyOf ?? one.oneOf ?? one.allOf)?.[0];
  if (first !== undefined) return example(api, first, depth);
  const type = [one.type].flat()[0];
  if (type === 'array') return depth > DEEPEST_EXAMPLE ? [] : [example(api, one.items, depth + 1)];
  if (type === 'object' || one.properties !== undefined) return exampleObject(api, one, depth);
  if (type === 'integer' || type === 'number') return one.minimum ?? 1;
  if (type === 'boolean') return true;
  if (one.format === 'date-time') return '2026-01-01T00:00:00Z';
  return type === 'string' ? 'text' : null;
}

function exampleObject(api, schema, depth) {
  if (depth > DEEPEST_EXAMPLE) return {};
  const required = new Set(schema.required ?? Object.keys(schema.properties ?? {}));
  const entries = Object.entries(schema.properties ?? {}).filter(([name]) => required.has(name));
  return Object.fromEntries(entries.map(([name, one]) => [name, example(api, one, depth + 1)]));
}

const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

export function curlOf(api, { path, method, operation }) {
  const server = new URL(operation.servers?.[0]?.url ?? api.servers?.[0]?.url ?? '/', document.baseURI);
  const filled = path.replace(/\{([^}]+)\}/g, (_, name) => {
    const parameter = operation.parameters?.find((one) => one.name === name && one.in === 'path');
    return encodeURIComponent(String(example(api, parameter?.schema) ?? name));
  });
  const query = (operation.parameters ?? [])
    .filter((one) => one.in === 'query' && one.required)
    .map((one) => `${encodeURIComponent(one.name)}=${encodeURIComponent(String(example(api, one.schema)))}`);
  const url =
    decodeURI(server.href).replace(/\/$/, '') + filled + (query.length > 0 ? `?${query.join('&')}` : '');
  const lines = [`curl ${method === 'get' ? '' : `-X ${method.toUpperCase()} `}${quoted(url)}`];
  const scheme = Object.keys(operation.security[0] ?? {})[0];
  // Double quotes, so that the shell puts the variable in.
  if (scheme === 'jwt') lines.push('-H "Authorization: Bearer $TOKEN"');
  if (scheme === 'apiKey') lines.push('-H "X-API-Key: $API_KEY"');
  for (const one of operation.parameters ?? []) {
    if (one.in === 'header' && one.required)
      lines.push(`-H ${quoted(`${one.name}: ${example(api, one.schema)}`)}`);
  }
  const [type, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  if (media?.schema !== undefined) {
    lines.push(
      `-H ${quoted(`Content-Type: ${type}`)}`,
      `-d ${quoted(JSON.stringify(example(api, media.schema)))}`,
    );
  }
  return lines.join(' \\\n  ');
}

// Makes a request of what somebody has filled in.

/** @throws {TypeError} for a value that would lead to another operation. */
export function addressOf(path, parameters, values) {
  const rest = parameters.find((one) => one['x-gatehouse-rest'])?.name;
  const filled = path.replace(/\{([^}]+)\}/g, (_, name) => {
    const text = values.get(`path ${name}`) ?? '';
    const segments = name === rest ? text.replace(/^\//, '').split('/') : [text];
    // A URL would take `..` for the way up.
    if (segments.some((one) => one === '.' || one === '..') || (text === '' && name !== rest))
      throw new TypeError(`${JSON.stringify(text)} cannot stand for {${name}}`);
    return segments.map(encodeURIComponent).join('/');
  });
  const query = new URLSearchParams();
  for (const one of parameters.filter(({ in: place }) => place === 'query')) addTo(query, one, values);
  const text = query.toString();
  return `${filled.slice(1)}${text === '' ? '' : `?${text}`}`;
}

function addTo(query, { name, schema, explode }, values) {
  const text = values.get(`query ${name}`) ?? '';
  if (text === '') return;
  if (schema.type === 'object' && explode)
    for (const [key, value] of new URLSearchParams(text)) query.append(key, value);
  else if (schema.type === 'array' && explode !== false)
    for (const one of text.split(',')) query.append(name, one.trim());
  else query.append(name, text);
}

export function fieldsOf(parameters, values) {
  const named = parameters
    .filter(({ in: place }) => place === 'header')
    .map(({ name }) => [name, values.get(`header ${name}`) ?? '']);
  return Object.fromEntries(named.filter(([, text]) => text !== ''));
}

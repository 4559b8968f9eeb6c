const IDENTIFIER = /^[A-Za-z_$][A-Za-z0-9_$]*$/;

/** A name as a key of an object. */
export function key(name: string): string {
  return IDENTIFIER.test(name) ? name : JSON.stringify(name);
}

/** A comment of documentation, or nothing; a text cannot end it. */
export function comment(text: string | undefined, indent: string): string {
  if (text === undefined || text === '') return '';
  const lines = text.replaceAll('*/', '* /').split(/\r?\n|\u2028|\u2029/);
  if (lines.length === 1) return `${indent}/** ${lines[0] ?? ''} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join('')}${indent} */\n`;
}

/** `orders.create-many` becomes `ordersCreateMany`. */
export function camelCase(name: string): string {
  const words = name.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  const text = words.map((word, index) => (index === 0 ? lowerFirst(word) : upperFirst(word))).join('');
  return /^[0-9]/.test(text) || text === '' ? `_${text}` : text;
}

/** `shop.v1.Order` becomes `ShopV1Order`. */
export function pascalCase(name: string): string {
  return upperFirst(camelCase(name));
}

function lowerFirst(word: string): string {
  return word.charAt(0).toLowerCase() + word.slice(1);
}

function upperFirst(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

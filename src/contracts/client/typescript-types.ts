import type { JsonSchema } from '../openapi.ts';

const IDENTIFIER = /^[A-Za-z_$][A-Za-z0-9_$]*$/;

/** Writes JSON Schemas as types of TypeScript. */
export class TypeWriter {
  readonly #names: ReadonlyMap<string, string>;

  /** @param names what components are called in the file, by the names that they have in the document. */
  constructor(names: ReadonlyMap<string, string>) {
    this.#names = names;
  }

  /** A type as it stands behind a colon. What a schema does not say is `unknown`. */
  type(schema: JsonSchema | boolean | undefined, indent = ''): string {
    if (schema === undefined || typeof schema === 'boolean') return 'unknown';
    if (schema.$ref !== undefined) return this.#reference(schema.$ref);
    if (schema.const !== undefined) return JSON.stringify(schema.const);
    if (schema.enum !== undefined)
      return schema.enum.map((value) => JSON.stringify(value)).join(' | ') || 'never';
    const several = schema.anyOf ?? schema.oneOf;
    if (several !== undefined) return this.#joined(several, ' | ', indent);
    if (schema.allOf !== undefined) return this.#joined(schema.allOf, ' & ', indent);
    return this.#ofType(schema, indent);
  }

  /** The members of an object type, each on a line of its own. */
  members(schema: JsonSchema, indent: string): string {
    const required = new Set(schema.required);
    const inner = `${indent}  `;
    const lines = Object.entries(schema.properties ?? {}).map(([name, one]) => {
      const isOptional = !required.has(name);
      const type = this.type(one, inner) + (isOptional ? ' | undefined' : '');
      return `${comment(describe(one), inner)}${inner}readonly ${key(name)}${isOptional ? '?' : ''}: ${type};\n`;
    });
    if (typeof schema.additionalProperties === 'object' && lines.length > 0) {
      lines.push(`${inner}readonly [name: string]: unknown;\n`);
    }
    return `{\n${lines.join('')}${indent}}`;
  }

  #ofType(schema: JsonSchema, indent: string): string {
    if (Array.isArray(schema.type)) {
      const types = schema.type as readonly string[];
      return this.#joined(
        types.map((type) => ({ ...schema, type })),
        ' | ',
        indent,
      );
    }
    switch (schema.type) {
      case 'string':
      case 'boolean':
      case 'null':
        return schema.type;
      case 'integer':
      case 'number':
        return 'number';
      case 'array':
        return this.#array(schema, indent);
      default:
        return this.#object(schema, indent);
    }
  }

  #array({ items, prefixItems }: JsonSchema, indent: string): string {
    if (prefixItems === undefined) return `readonly ${grouped(this.type(items, indent))}[]`;
    const rest = items === false || items === undefined ? '' : `, ...${grouped(this.type(items, indent))}[]`;
    return `readonly [${prefixItems.map((one) => this.type(one, indent)).join(', ')}${rest}]`;
  }

  #object(schema: JsonSchema, indent: string): string {
    const { properties = {}, additionalProperties, type } = schema;
    if (Object.keys(properties).length > 0) return this.members(schema, indent);
    if (typeof additionalProperties === 'object') {
      return `Readonly<Record<string, ${this.type(additionalProperties, indent)}>>`;
    }
    return type === 'object' ? 'Readonly<Record<string, unknown>>' : 'unknown';
  }

  #joined(schemas: readonly JsonSchema[], operator: string, indent: string): string {
    const types = [...new Set(schemas.map((one) => this.type(one, indent)))];
    if (operator === ' | ' && types.includes('unknown')) return 'unknown';
    return types.map((one) => (types.length > 1 ? grouped(one) : one)).join(operator);
  }

  #reference(reference: string): string {
    const name = reference.split('/').at(-1) ?? '';
    return this.#names.get(name) ?? 'unknown';
  }
}

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

function describe(schema: JsonSchema): string | undefined {
  return schema.$ref === undefined ? schema.description : undefined;
}

function grouped(type: string): string {
  return /[|&]| readonly|^readonly /.test(type) && !/^[A-Za-z<>]*\{[^|&]*\}$/.test(type) ? `(${type})` : type;
}

function lowerFirst(word: string): string {
  return word.charAt(0).toLowerCase() + word.slice(1);
}

function upperFirst(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

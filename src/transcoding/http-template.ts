/** A piece of a variable's value: fixed text, or the path parameter of that index. */
export type TemplatePart = string | number;

/** A variable of a template: the field that it fills, and what its value is made of, to be joined by slashes. */
export interface TemplateVariable {
  /** Names of the proto, from the request message inwards. */
  readonly field: readonly string[];
  readonly parts: readonly TemplatePart[];
}

/** A path template of `google.api.http`, ready to be matched by the route table. */
export interface HttpTemplate {
  /** The same paths as a pattern of the route table: `{name}` for a segment, a trailing `*` for the rest. */
  readonly pattern: string;
  readonly variables: readonly TemplateVariable[];
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
const VERB = /:([^/:{}*]+)$/;

/**
 * Parses a path template (google/api/http.proto): `*`, `**`, `{field.path}`, `{field=segments}` and a `:verb`.
 *
 * @throws {Error} saying what is wrong with it.
 */
export function parseHttpTemplate(source: string): HttpTemplate {
  return new TemplateParser(source).parse();
}

class TemplateParser {
  readonly #source: string;
  readonly #segments: string[] = [];
  readonly #variables: TemplateVariable[] = [];
  readonly #names = new Set<string>();
  #parameters = 0;
  #closed = false;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): HttpTemplate {
    if (!this.#source.startsWith('/')) throw this.#fault('expected a path that starts with "/"');
    // A verb after plain text is plain text to the table; only after a variable or a wildcard is it told apart.
    const verb = /[}*]:[^/]*$/.test(this.#source) ? VERB.exec(this.#source) : null;
    const path = verb === null ? this.#source : this.#source.slice(0, verb.index);
    for (const segment of split(path.slice(1))) this.#read(segment);
    return {
      pattern: `/${this.#segments.join('/')}${verb === null ? '' : `:${verb[1] ?? ''}`}`,
      variables: this.#variables,
    };
  }

  #read(segment: string): void {
    if (!segment.startsWith('{')) return void this.#readPart(segment, 'p');
    if (!segment.endsWith('}')) throw this.#fault(`expected "}" at the end of "${segment}"`);
    const [path = '', ...value] = segment.slice(1, -1).split('=');
    const field = path.split('.');
    if (value.length > 1 || !field.every((name) => IDENTIFIER.test(name))) {
      throw this.#fault(`expected {field} or {field=segments}, got "${segment}"`);
    }
    if (this.#variables.some((other) => other.field.join('.') === path)) {
      throw this.#fault(`the variable {${path}} stands twice`);
    }
    const parts = (value[0] ?? '*').split('/').map((part) => this.#readPart(part, field.join('_')));
    this.#variables.push({ field, parts });
  }

  #readPart(part: string, name: string): TemplatePart {
    if (this.#closed) throw this.#fault('expected "**" only as the last segment');
    if (part === '**') {
      this.#closed = true;
      this.#segments.push('*');
      return this.#parameters++;
    }
    if (part === '*') {
      this.#segments.push(`{${this.#unique(name)}}`);
      return this.#parameters++;
    }
    if (part === '' || /[{}*]/.test(part)) {
      throw this.#fault(`expected "*", "**", text or a variable between the slashes, got "${part}"`);
    }
    this.#segments.push(part);
    return part;
  }

  #unique(name: string): string {
    let unique = name;
    for (let count = 2; this.#names.has(unique); count += 1) unique = `${name}_${count}`;
    this.#names.add(unique);
    return unique;
  }

  #fault(message: string): Error {
    return new Error(`${message} in the path template "${this.#source}"`);
  }
}

// At the slashes outside of braces.
function split(path: string): string[] {
  return path.match(/(?:\{[^}]*\}?|[^/{])+|(?<=\/|^)(?=\/|$)/g) ?? [''];
}

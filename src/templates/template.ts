import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { PlainFault } from '../telemetry/error-facts.ts';
import { parseTemplate, type ParsedTemplate } from './parse-template.ts';
import { compileSource, type Source, type SourceNames } from './source.ts';
import { TemplateError } from './template-fault.ts';

/** What a value becomes where a template stands: there no value may end its place, or mean anything but itself. */
export interface Place {
  /** A text as it is written there; undefined for one that cannot be. The source is absent for a default of the template. */
  write(text: string, source?: Source): string | undefined;
  /** The same of what is percent-encoded already; absent where values are taken decoded. */
  writeEncoded?(text: string): string;
  /** What it cannot be, for messages: `cannot be part of a path`. */
  readonly misfit: string;
}

/** Some text with values in it, taken apart once. */
export interface Template {
  readonly sources: readonly Source[];
  /** What stands before the first value: all of it, where there is none. */
  readonly literal: string;
  /**
   * Fills in the values.
   *
   * @throws {Problem} for a value that is missing and has no default, or that cannot stand there: `request-invalid` where the
   * client has to give it, `permission-denied` where the principal has none.
   */
  fill(exchange: Exchange): string;
  /** The same; undefined in place of a problem. */
  fillIfThere(exchange: Exchange): string | undefined;
}

/**
 * Compiles a template for a place.
 *
 * @throws {TemplateError} for what does not parse, names nothing, or has a default that cannot stand there.
 */
export function compileTemplate(
  template: string | ParsedTemplate,
  names: SourceNames,
  place: Place,
): Template {
  const { literals, placeholders } = typeof template === 'string' ? parseTemplate(template) : template;
  const sources = placeholders.map(({ name }) => compileSource(name, names));
  const fallbacks = placeholders.map(({ fallback }) => {
    const written = fallback === undefined || fallback === '' ? fallback : place.write(fallback);
    if (fallback !== undefined && written === undefined)
      throw new TemplateError(`the default "${fallback}" ${place.misfit}`);
    return written;
  });
  return new FilledIn(literals, sources, fallbacks, place);
}

class FilledIn implements Template {
  readonly sources: readonly Source[];
  readonly literal: string;
  readonly #literals: readonly string[];
  readonly #fallbacks: readonly (string | undefined)[];
  readonly #place: Place;

  constructor(
    literals: readonly string[],
    sources: readonly Source[],
    fallbacks: readonly (string | undefined)[],
    place: Place,
  ) {
    this.#literals = literals;
    this.literal = literals[0] ?? '';
    this.sources = sources;
    this.#fallbacks = fallbacks;
    this.#place = place;
  }

  fill(exchange: Exchange): string {
    let text = this.literal;
    for (let i = 0; i < this.sources.length; i += 1) {
      const value = this.#value(exchange, i);
      if (value === undefined) throw unusable(this.sources[i] as Source, 'is missing');
      if (value === null) throw unusable(this.sources[i] as Source, this.#place.misfit);
      text += value + (this.#literals[i + 1] as string);
    }
    return text;
  }

  fillIfThere(exchange: Exchange): string | undefined {
    let text = this.literal;
    for (let i = 0; i < this.sources.length; i += 1) {
      const value = this.#value(exchange, i);
      if (value === undefined || value === null) return undefined;
      text += value + (this.#literals[i + 1] as string);
    }
    return text;
  }

  /** What stands for a placeholder; undefined where nothing does, null for what cannot be there. */
  #value(exchange: Exchange, index: number): string | undefined | null {
    const source = this.sources[index] as Source;
    const place = this.#place;
    if (source.encoded !== undefined && place.writeEncoded !== undefined) {
      const value = source.encoded(exchange);
      if (value !== undefined) return place.writeEncoded(value);
    } else {
      const value = source.read(exchange);
      if (value !== undefined && value !== '' && value.isWellFormed())
        return place.write(value, source) ?? null;
    }
    return this.#fallbacks[index];
  }
}

/** The problem of a value that a template cannot do without: the client's, or that of a principal that has no such thing. */
export function unusable({ text, of }: Pick<Source, 'text' | 'of'>, what: string): Problem {
  if (of === 'principal')
    return new Problem('permission-denied', { cause: new PlainFault(`${text} ${what}`) });
  return new Problem('request-invalid', { detail: `${text} ${what}.` });
}

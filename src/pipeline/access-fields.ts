import type { Exchange } from '../exchange/exchange.ts';
import { compileLogField } from '../routing/logs.schema.ts';
import { redacted, REDACTED } from '../telemetry/redaction.ts';
import { isSecretField, maySayASecret } from '../telemetry/secret-names.ts';
import type { Source } from '../templates/source.ts';
import type { Template } from '../templates/template.ts';
import { bounded } from './access-values.ts';

/** Writes a field of a line. */
export type FieldWriter = (name: string, value: string) => string;

/** A field that the configuration adds to access lines. */
class AccessField {
  readonly #name: string;
  readonly #template: Template;
  /** Whether its value is never shown; settled at the first line, once the names of the same configuration are in force. */
  #isSecret: boolean | undefined = undefined;

  constructor(name: string, template: string) {
    this.#name = name;
    this.#template = compileLogField(template);
  }

  write(exchange: Exchange, writer: FieldWriter): string {
    const value = this.#template.fillIfThere(exchange);
    if (value === undefined) return '';
    this.#isSecret ??= isSecretField(this.#name) || this.#template.sources.some(mayBeSecret);
    // Redacted first: half a secret is one that is not found any more.
    return writer(this.#name, this.#isSecret ? REDACTED : bounded(redacted(value)));
  }
}

/** Compiles the fields that the configuration adds; undefined for none. A value that is missing leaves its field out. */
export function compileFields(
  fields: Readonly<Record<string, string>>,
  writer: FieldWriter,
): ((exchange: Exchange) => string) | undefined {
  const all = Object.entries(fields).map(([name, template]) => new AccessField(name, template));
  if (all.length === 0) return undefined;
  return (exchange) => {
    let text = '';
    for (const field of all) text += field.write(exchange, writer);
    return text;
  };
}

function mayBeSecret({ header, text }: Source): boolean {
  const parameter = /^(?:request\.)?query\.(.+)$/s.exec(text)?.[1];
  return maySayASecret(header ?? parameter ?? '');
}

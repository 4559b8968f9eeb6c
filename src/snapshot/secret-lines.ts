import { REDACTED } from '../telemetry/redaction.ts';
import { maySayASecret } from '../telemetry/secret-names.ts';

const PAIR = /(["']?)([\w.-]+)\1(\s*[:=]\s*)("[^"]*"?|'[^']*'?|[^,}\]]+)/g;
const REFERENCE = /^["']?\$\{[A-Za-z_]\w*\}["']?$/;
/** A key whose value stands on lines of its own. */
const OPEN = /^(\s*)(?:- )?["']?([\w.-]+)["']?\s*:\s*(?:[|>][-+\d]*)?\s*$/;

/**
 * A text without what stands behind names that may be those of secrets, line by line: of `all` lines where nobody knows what
 * the text says, or of `comments` only.
 */
export function withoutSecretLines(text: string, of: 'all' | 'comments'): string {
  const lines = text.split('\n');
  /** How far the key is indented whose lines are hidden; -1 for none. */
  let hiddenFrom = -1;
  const shown = lines.map((line) => {
    const at = line.indexOf('#');
    if (of === 'comments') return at < 0 ? line : line.slice(0, at) + withoutValues(line.slice(at));
    const indent = line.search(/\S/);
    if (hiddenFrom >= 0 && (indent < 0 || indent > hiddenFrom))
      return indent < 0 ? line : `${' '.repeat(indent)}${REDACTED}`;
    const open = OPEN.exec(line);
    hiddenFrom = open !== null && maySayASecret(open[2] ?? '') ? (open[1] ?? '').length : -1;
    return withoutValues(line);
  });
  return shown.join('\n');
}

function withoutValues(text: string): string {
  return text.replace(PAIR, (pair, quote: string, name: string, sign: string, value: string) =>
    maySayASecret(name) && !REFERENCE.test(value.trim())
      ? `${quote}${name}${quote}${sign}"${REDACTED}"`
      : pair,
  );
}

import type { Exchange } from '../exchange/exchange.ts';
import { shownPath, shownPathOf, shownQuery, shownReferer } from '../exchange/shown-target.ts';
import { redacted } from '../telemetry/redaction.ts';
import { bounded } from './access-values.ts';

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const MS_PER_SECOND = 1000;
const NOTHING = '-';
/** What stands for itself between quotation marks. */
const PLAIN = /^[ !#-[\]-~]*$/;
const FIRST_PRINTABLE = 0x20;
const LAST_PRINTABLE = 0x7e;
const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

let lastSecond = -1;
let lastTime = '';

/**
 * The access line as Apache and nginx write their `combined` format. Of the query and of `Referer` it shows the names of
 * parameters only, `User-Agent` as it came.
 *
 * @param more what the configuration asks for: ` name="value"`, escaped. Default none.
 */
export function combinedLine(exchange: Exchange, more = ''): string {
  const { clientAddress, principal, method, query, status, bytesOut, request } = exchange;
  const { referer, 'user-agent': agent } = request.headers;
  const target = shownPathOf(exchange) + (query === '' ? '' : shownQuery(query));
  const user = principal === undefined ? NOTHING : bare(bounded(principal.id));
  const line = `${bare(clientAddress)} - ${user} [${timeOf(Date.now())}] "${escaped(`${method} ${target} HTTP/${request.httpVersion}`)}"`;
  const from = referer === undefined ? NOTHING : escaped(pageOf(shownReferer(referer, exchange)));
  const by = agent === undefined ? NOTHING : escaped(bounded(redacted(agent)));
  return `${line} ${status} ${bytesOut} "${from}" "${by}"${more}\n`;
}

/**
 * A text between quotation marks, as Apache escapes it: nothing in it ends the marks or the line. What is no printable
 * character of ASCII is `\xhh` for each of its bytes of UTF-8.
 */
export function escaped(text: string): string {
  return PLAIN.test(text) ? text : escapedBytes(text, false);
}

/** The same for what stands without marks. What could be taken for nothing at all is escaped, too. */
function bare(text: string): string {
  if (text === '') return NOTHING;
  if (text === NOTHING) return '\\x2d';
  return PLAIN.test(text) && !text.includes(' ') ? text : escapedBytes(text, true);
}

function escapedBytes(text: string, isBare: boolean): string {
  let shown = '';
  for (const byte of Buffer.from(text)) {
    const isPrintable = byte >= FIRST_PRINTABLE && byte <= LAST_PRINTABLE;
    if (byte === QUOTE || byte === BACKSLASH) shown += `\\${String.fromCharCode(byte)}`;
    else if (isPrintable && !(isBare && byte === SPACE)) shown += String.fromCharCode(byte);
    else shown += `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return shown;
}

/** Where a page is, without what its address says beyond that. */
function pageOf(referer: string): string {
  const url = URL.parse(referer);
  if (url === null || url.origin === 'null') return NOTHING;
  return bounded(url.origin + shownPath(url.pathname) + (url.search === '' ? '' : shownQuery(url.search)));
}

/** `10/Oct/2000:13:55:36 +0000`; made once a second. */
function timeOf(ms: number): string {
  const second = Math.floor(ms / MS_PER_SECOND);
  if (second === lastSecond) return lastTime;
  const [date = '', time = ''] = new Date(second * MS_PER_SECOND).toISOString().split('T');
  const [year = '', month = '', day = ''] = date.split('-');
  lastSecond = second;
  lastTime = `${day}/${MONTHS[Number(month) - 1] as string}/${year}:${time.slice(0, 8)} +0000`;
  return lastTime;
}

import type { ChangeRow } from './order-answers.ts';
import type { StreamMark } from './traffic.ts';
import { storeOf } from './store.ts';

/** Something that has happened, of whatever kind. */
export type Mark = Omit<StreamMark, 'kind'> & { readonly kind: string };

const MOST = 100;
const store = storeOf<readonly Mark[]>([]);
/** What the time line tells of itself, and better: with who has done it, and of the time before this page was open. */
const IN_TIME_LINE = new Set(['reload', 'breaker', 'discovery', 'certificate']);
let hasTimeLine = false;

/** What has happened of late that explains a bend in a curve, oldest first: of the stream, and of the time line. */
export const marks = {
  store,
  /** Takes a mark of the stream. */
  add(mark: StreamMark): void {
    if (hasTimeLine && IN_TIME_LINE.has(mark.kind)) return;
    put([mark]);
  },
  /** Takes what the time line has; what the stream has told of the same goes. */
  join(rows: readonly ChangeRow[]): void {
    if (!hasTimeLine) store.set(store.value.filter(({ kind }) => !IN_TIME_LINE.has(kind)));
    hasTimeLine = true;
    put(rows.map(({ at, kind, text }) => ({ at, kind, text, over: false })));
  },
};

function put(more: readonly Mark[]): void {
  const isKnown = (mark: Mark): boolean =>
    store.value.some(({ at, text }) => at === mark.at && text === mark.text);
  const news = more.filter((mark) => !isKnown(mark));
  if (news.length === 0) return;
  const all = [...store.value, ...news].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  store.set(all.slice(-MOST));
}

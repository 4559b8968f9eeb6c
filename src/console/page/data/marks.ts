import type { StreamMark } from './traffic.ts';
import { storeOf } from './store.ts';

const MOST = 50;
const store = storeOf<readonly StreamMark[]>([]);

/** What has happened of late that explains a bend in a curve, newest last. */
export const marks = {
  store,
  add(mark: StreamMark): void {
    const isKnown = store.value.some(({ at, text }) => at === mark.at && text === mark.text);
    if (!isKnown) store.set([...store.value, mark].slice(-MOST));
  },
};

import { storeOf } from '../data/store.ts';

/** Whether charts and pictures are shown as tables: the same numbers, for those who would rather read. */
export const asTable = storeOf(false);

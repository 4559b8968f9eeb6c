import type { AnswerStore } from './answer-store.ts';
import type { KeyRing } from '../authentication/login/key-ring.ts';
import { cacheSchema, type CacheRoom } from './cache.schema.ts';
import type { SharedAnswers } from './shared-answers.ts';

/** How much stored answers may take here and in Redis. */
export class CacheRooms {
  readonly #store: AnswerStore;
  readonly #shared: SharedAnswers | undefined;

  constructor(store: AnswerStore, shared: SharedAnswers | undefined) {
    this.#store = store;
    this.#shared = shared;
  }

  /**
   * Takes over the sizes of the configuration that is in force; what is too much by then goes at once.
   *
   * @param keys that answers in Redis are encrypted with; none for as they are.
   */
  use(room: CacheRoom = cacheSchema.parse({}), keys?: KeyRing): void {
    this.#store.resize(room.memory);
    this.#shared?.resize(room.redis);
    this.#shared?.sealWith(keys);
  }
}

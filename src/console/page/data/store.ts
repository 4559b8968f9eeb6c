import { useEffect, useReducer } from 'preact/hooks';

/** A value that parts of the page share. */
export interface Store<Value> {
  readonly value: Value;
  set(value: Value): void;
  /** @returns what ends it. */
  watch(heard: () => void): () => void;
}

/** Makes a {@link Store}. */
export function storeOf<Value>(initial: Value): Store<Value> {
  const watchers = new Set<() => void>();
  let value = initial;
  return {
    get value() {
      return value;
    },
    set: (next) => {
      if (Object.is(next, value)) return;
      value = next;
      for (const heard of watchers) heard();
    },
    watch: (heard) => {
      watchers.add(heard);
      return () => watchers.delete(heard);
    },
  };
}

/** The value of a store; draws again when it changes. */
export function useStore<Value>(store: Store<Value>): Value {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    draw(undefined);
    return store.watch(() => draw(undefined));
  }, [store]);
  return store.value;
}

import { expect, it } from '@jest/globals';
import { brokenKey } from './broken.ts';

it('brokenKey tells objects of one name and other kinds or namespaces apart', () => {
  const keys = ['HTTPRoute', 'Ingress'].flatMap((kind) =>
    ['a', 'b'].map((namespace) => brokenKey({ kind, namespace, name: 'x' })),
  );
  expect(new Set(keys).size).toBe(4);
});

import { describe, expect, it } from '@jest/globals';
import { mayRefer } from './grants.ts';
import { viewOf } from './scene.fixture.ts';

const FROM = { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'shop' };
const TO = { group: '', kind: 'Service', namespace: 'stock', name: 'items' };
const grant = (to: string, namespace = 'stock', from = 'HTTPRoute'): string => `
kind: ReferenceGrant
metadata: { name: g, namespace: ${namespace} }
spec: { from: [{ group: gateway.networking.k8s.io, kind: ${from}, namespace: shop }], to: [${to}] }
`;

describe('mayRefer', () => {
  it.each([
    ['its own namespace', '', { ...TO, namespace: 'shop' }, true],
    ['another one without a grant', '', TO, false],
    ['a kind that is granted', grant("{ group: '', kind: Service }"), TO, true],
    ['an object that is granted', grant("{ group: '', kind: Service, name: items }"), TO, true],
    ['another object', grant("{ group: '', kind: Service, name: others }"), TO, false],
    ['another kind', grant("{ group: '', kind: Secret }"), TO, false],
    [
      'a grant for another kind of referrers',
      grant("{ group: '', kind: Service }", 'stock', 'GRPCRoute'),
      TO,
      false,
    ],
    ['a grant of another namespace', grant("{ group: '', kind: Service }", 'shop'), TO, false],
  ])('%s', (_what, text, to, may) => expect(mayRefer(viewOf(text), FROM, to)).toBe(may));
});

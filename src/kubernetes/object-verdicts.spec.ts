import { describe, expect, it } from '@jest/globals';
import type { ObjectVerdict } from '../snapshot/followed-cluster.ts';
import { verdictsOn } from './object-verdicts.ts';
import { EDGE, serviceText, settingsOf, viewOf } from './translate/scene.fixture.ts';
import { translate } from './translate/translate.ts';

function verdicts(text: string, broken: readonly [string, string][] = []): readonly ObjectVerdict[] {
  const view = viewOf(text);
  return verdictsOn(
    view,
    translate(view, settingsOf(), { check: () => ['no such policy'], broken: new Map(broken) }),
  );
}
const of = (all: readonly ObjectVerdict[], kind: string): unknown[] =>
  all
    .filter((one) => one.kind === kind)
    .map(({ name, state, why }) => (why === undefined ? [name, state] : [name, state, ...why]));
const route = (name: string, parents: string, service = 'a'): string =>
  `\n---\nkind: HTTPRoute\nmetadata: { name: ${name} }\nspec: { parentRefs: [${parents}], rules: [{ backendRefs: [{ name: ${service}, port: 80 }] }] }\n`;

describe('verdictsOn', () => {
  it('tells routes that are served, in part, not at all, and are for others', () => {
    const text =
      EDGE +
      serviceText('a') +
      route('whole', '{ name: edge }') +
      route('half', '{ name: edge }, { name: edge, sectionName: z }') +
      route('lost', '{ name: edge }', 'none') +
      route('refused', '{ name: edge, sectionName: z }') +
      route('others', '{ name: mesh }');
    expect(of(verdicts(text), 'HTTPRoute')).toEqual([
      ['whole', 'served'],
      ['half', 'partly', 'Accepted NoMatchingParent: parentRefs: the Gateway has no such listener'],
      [
        'lost',
        'partly',
        'ResolvedRefs BackendNotFound: rules[0].backendRefs[0]: there is no Service default/none',
      ],
      ['refused', 'refused', 'Accepted NoMatchingParent: parentRefs: the Gateway has no such listener'],
      ['others', 'ignored', 'parentRefs: name no Gateway of this gateway'],
    ]);
  });

  it('names the listener of a Gateway that is wrong', () => {
    const [odd] = of(
      verdicts(EDGE.replace('protocol: HTTP }', 'protocol: HTTP }, { name: tcp, port: 443, protocol: TCP }')),
      'Gateway',
    ) as string[][];
    expect(odd?.slice(0, 2)).toEqual(['edge', 'partly']);
    expect(odd?.join()).toMatch(/listener tcp: Accepted UnsupportedProtocol: listeners\[1\]/);
  });

  it('tells policies that cannot be read', () => {
    const policy = `
---
kind: GatehousePolicy
metadata: { name: p }
spec: { targetRefs: [{ group: gateway.networking.k8s.io, kind: HTTPRoute, name: whole }], policies: { none: {} } }
`;
    expect(
      of(verdicts(EDGE + serviceText('a') + route('whole', '{ name: edge }') + policy), 'GatehousePolicy'),
    ).toEqual([['p', 'refused', expect.stringMatching(/^Accepted Invalid: .*no such policy/)]]);
  });

  it('tells Ingresses by what is remarked of them', () => {
    const ingress = (name: string, service: string): string => `
---
kind: Ingress
metadata: { name: ${name} }
spec: { ingressClassName: g, defaultBackend: { service: { name: ${service}, port: { number: 80 } } } }
`;
    const text = `kind: IngressClass\nmetadata: { name: g }\nspec: { controller: gatehouse.dev/gateway }\n${serviceText('a')}${ingress('whole', 'a')}${ingress('half', 'none')}${ingress('broken', 'a')}`;
    expect(of(verdicts(text, [['Ingress default/broken', 'match: bad']]), 'Ingress')).toEqual([
      ['whole', 'served'],
      ['half', 'partly', expect.stringMatching(/no Service default\/none/)],
      ['broken', 'refused', 'match: bad'],
    ]);
  });

  it('holds for an object that has changed since it was judged, as of the generation that it has now', () => {
    const text = EDGE + serviceText('a') + route('whole', '{ name: edge }');
    const judged = translate(viewOf(text), settingsOf(), { check: () => [], broken: new Map() });
    const later = viewOf(text.replace('{ name: whole }', '{ name: whole, generation: 2 }'));
    expect(verdictsOn(later, judged).find(({ name }) => name === 'whole')).toMatchObject({
      state: 'served',
      generation: 2,
    });
  });
});

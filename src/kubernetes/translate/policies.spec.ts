import { describe, expect, it } from '@jest/globals';
import type { Resource } from '../resource.ts';
import { Policies } from './policies.ts';
import { viewOf } from './scene.fixture.ts';
import type { ClusterView } from './settings.ts';

const ROUTE = 'kind: HTTPRoute\nmetadata: { name: r }\n';
const policy = (
  name: string,
  policies: string,
  target = 'kind: HTTPRoute, name: r',
  group = 'gateway.networking.k8s.io',
): string =>
  `---\nkind: GatehousePolicy\nmetadata: { name: ${name} }\nspec: { targetRefs: [{ group: ${group}, ${target} }], policies: ${policies} }\n`;
const routeOf = (view: ClusterView): Resource => view.all('HTTPRoute')[0] as Resource;
const policiesOf = (view: ClusterView, broken: readonly [string, string][] = []): Policies =>
  new Policies(view, (said) => (said['none'] === undefined ? [] : ['no policy "none"']), new Map(broken));

describe('Policies', () => {
  it('has narrower ones replace whole policies of wider ones', () => {
    const view = viewOf(
      ROUTE +
        policy('wide', '{ cors: { a: 1 }, cache: { b: 1 } }') +
        policy('narrow', '{ cache: { c: 1 } }', 'kind: HTTPRoute, name: r, sectionName: one'),
    );
    const policies = policiesOf(view);
    expect(policies.at([{ of: routeOf(view), section: 'one' }]).policies).toEqual({
      cors: { a: 1 },
      cache: { c: 1 },
    });
    expect(policies.at([{ of: routeOf(view), section: 'two' }]).policies).toEqual({
      cors: { a: 1 },
      cache: { b: 1 },
    });
  });

  it('goes by the oldest of several at one place, and knows whose each policy is', () => {
    const view = viewOf(
      ROUTE + policy('old', '{ cors: { a: 1 } }') + policy('new', '{ cors: { a: 2 }, cache: {} }'),
    );
    const { policies, of } = policiesOf(view).at([{ of: routeOf(view) }]);
    expect(policies).toEqual({ cors: { a: 1 }, cache: {} });
    expect([of.get('cors')?.name, of.get('cache')?.name]).toEqual(['old', 'new']);
  });

  it('tells a place that is to be guarded by one that cannot be read', () => {
    const view = viewOf(ROUTE + policy('p', '{ none: {} }'));
    const policies = policiesOf(view);
    expect(policies.at([{ of: routeOf(view) }]).broken?.name).toBe('p');
    expect(policies.verdictOf(policies.all[0] as Resource)).toMatchObject({
      status: 'False',
      reason: 'Invalid',
      message: 'no policy "none"',
    });
  });

  it('takes over what was found wrong when routes were compiled', () => {
    const view = viewOf(ROUTE + policy('p', '{ cors: {} }'));
    expect(policiesOf(view, [['default/p', 'cors: bad']]).at([{ of: routeOf(view) }]).broken?.name).toBe('p');
  });

  it('says of one that is attached to nothing that its target is not there', () => {
    const policies = policiesOf(viewOf(policy('p', '{ cors: {} }')));
    expect(policies.verdictOf(policies.all[0] as Resource)).toMatchObject({ reason: 'TargetNotFound' });
  });

  it.each([
    ['kind: Service, name: r', 'gateway.networking.k8s.io', /targetRefs\[0\]\.kind: expected one of/],
    ['kind: HTTPRoute, name: r', 'networking.k8s.io', /targetRefs\[0\]\.group: expected gateway/],
    ['kind: Ingress, name: r, sectionName: x', 'networking.k8s.io', /an Ingress has no sections/],
  ])('refuses the target %s of %s', (target, group, message) => {
    const policies = policiesOf(viewOf(policy('p', '{ cors: {} }', target, group)));
    expect(policies.verdictOf(policies.all[0] as Resource)).toMatchObject({
      reason: 'Invalid',
      message: expect.stringMatching(message),
    });
  });
});

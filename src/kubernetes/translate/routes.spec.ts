import { describe, expect, it } from '@jest/globals';
import type { Json, Resource } from '../resource.ts';
import { Backends } from './backends.ts';
import { bindGateways } from './gateways.ts';
import { Policies } from './policies.ts';
import { translateRoute, type TranslatedRoute } from './routes.ts';
import { EDGE, serviceText, settingsOf, viewOf } from './scene.fixture.ts';

const SPEC = 'parentRefs: [{ name: edge }], rules: [{ name: one, backendRefs: [{ name: a, port: 80 }] }]';

function translated(
  spec = SPEC,
  { more = '', free = 10, ports = [80] }: { more?: string; free?: number; ports?: number[] } = {},
): TranslatedRoute {
  const view = viewOf(
    `${EDGE}${serviceText('a')}---\nkind: HTTPRoute\nmetadata: { name: r }\nspec: { ${spec} }\n${more}`,
  );
  const settings = settingsOf();
  const scene = { view, settings };
  return translateRoute(
    view.all('HTTPRoute')[0] as Resource,
    {
      gateways: bindGateways(scene),
      backends: new Backends(scene),
      policies: new Policies(
        view,
        (said) => (said['none'] === undefined ? [] : ['no such policy']),
        new Map(),
      ),
      controller: settings.controller,
      basePolicies: settings.policies,
      allPorts: new Set(ports),
      broken: new Map(),
      settings,
    },
    free,
  );
}
const configOf = (route: TranslatedRoute): Json | undefined => route.drafts[0]?.config;
const policy = (policies: string): string =>
  `---\nkind: GatehousePolicy\nmetadata: { name: p }\nspec: { targetRefs: [{ group: gateway.networking.k8s.io, kind: HTTPRoute, name: r }], policies: ${policies} }\n`;

describe('translateRoute', () => {
  it('names ports only where it is not served at all of them', () => {
    expect(configOf(translated())?.['match']).toEqual({ path: '/*' });
    expect(configOf(translated(SPEC, { ports: [80, 443] }))?.['match']).toEqual({ path: '/*', ports: [80] });
  });

  it('has the policies of the cluster, and those that are attached in their place', () => {
    expect(configOf(translated())?.['policies']).toEqual({ authentication: 'public' });
    expect(
      configOf(translated(SPEC, { more: policy('{ authentication: { schemes: [jwt] } }') }))?.['policies'],
    ).toEqual({
      authentication: { schemes: ['jwt'] },
    });
  });

  it('serves nobody without a policy that cannot be read', () => {
    expect(configOf(translated(SPEC, { more: policy('{ none: {} }') }))).toMatchObject({
      respond: { status: 500 },
    });
  });

  it('is refused as a whole where one rule cannot be said, or there is no room', () => {
    const odd = SPEC.replace('rules: [', 'rules: [{ sessionPersistence: {} }, ');
    for (const route of [translated(odd), translated(SPEC, { free: 0 })]) {
      expect(route.drafts).toEqual([]);
      expect(JSON.stringify(route.status)).toContain('"status":"False","reason":"UnsupportedValue"');
    }
  });

  it('says nothing of a route that is not ours', () => {
    expect(translated(SPEC.replace('edge', 'mesh'))).toEqual({ drafts: [], status: undefined });
  });
});

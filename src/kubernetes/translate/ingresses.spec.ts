import { describe, expect, it } from '@jest/globals';
import { Backends } from './backends.ts';
import { translateIngresses, withinLimit, type TranslatedIngresses } from './ingresses.ts';
import { Policies } from './policies.ts';
import { remarkText } from './remark.ts';
import { serviceText, settingsOf, viewOf } from './scene.fixture.ts';

const CLASS = 'kind: IngressClass\nmetadata: { name: g }\nspec: { controller: gatehouse.dev/gateway }\n';
const ingress = (name: string, spec: string, className = 'ingressClassName: g,'): string =>
  `---\nkind: Ingress\nmetadata: { name: ${name} }\nspec: { ${className} ${spec} }\n`;
const backend = (name: string): string => `backend: { service: { name: ${name}, port: { number: 80 } } }`;
const paths = (...all: readonly string[]): string =>
  `rules: [{ host: Shop.test, http: { paths: [${all.join(', ')}] } }]`;

function translated(text: string): TranslatedIngresses {
  const view = viewOf(CLASS + text + serviceText('a'));
  const settings = settingsOf();
  return translateIngresses({
    view,
    settings,
    backends: new Backends({ view, settings }),
    policies: new Policies(view, () => [], new Map()),
    broken: new Map(),
  });
}
const texts = ({ remarks }: Pick<TranslatedIngresses, 'remarks'>): readonly string[] =>
  remarks.map(remarkText);

describe('translateIngresses', () => {
  it('takes paths by their type, at the host that is named', () => {
    const { drafts } = translated(
      ingress(
        'i',
        paths(
          `{ path: /a, pathType: Exact, ${backend('a')} }`,
          `{ path: /b, pathType: ImplementationSpecific, ${backend('a')} }`,
        ),
      ),
    );
    expect(drafts.map(({ config }) => config['match'])).toEqual([
      { path: '/a', hosts: ['shop.test'] },
      { path: '/b/*', hosts: ['shop.test'] },
    ]);
  });

  it('takes those of its own classes, and those without one where its own is the default', () => {
    const own = `defaultBackend: { service: { name: a, port: { number: 80 } } }`;
    expect(translated(ingress('i', own, 'ingressClassName: nginx,')).drafts).toEqual([]);
    expect(translated(ingress('i', own, '')).drafts).toEqual([]);
    const asDefault = CLASS.replace(
      'name: g',
      "name: d, annotations: { ingressclass.kubernetes.io/is-default-class: 'true' }",
    );
    expect(translated(`---\n${asDefault}${ingress('i', own, '')}`).drafts).toHaveLength(1);
  });

  it('answers 503 for a Service that is not there, and says of each what is wrong', () => {
    const all = translated(
      ingress(
        'i',
        `${paths(`{ path: /a, ${backend('none')} }`, '{ path: /b, backend: { resource: { kind: Bucket } } }', `{ path: '/{x}', ${backend('a')} }`)}, tls: [{ secretName: s }]`,
      ),
    );
    expect(all.drafts.map(({ config }) => config['respond'])).toEqual([{ status: 503 }]);
    expect(texts(all)).toEqual([
      expect.stringMatching(
        /^Ingress default\/i: rules\[0\]\.http\.paths\[0\]\.backend\.service: there is no Service/,
      ),
      expect.stringMatching(/paths\[1\]\.backend\.resource: is not supported/),
      expect.stringMatching(/paths\[2\]\.path: has one of/),
      expect.stringMatching(/tls\[0\]\.secretName: there is no Secret default\/s/),
    ]);
  });
});

describe('withinLimit', () => {
  it('leaves out whole Ingresses, the younger first, and says so', () => {
    const own = paths(`{ path: /a, ${backend('a')} }`, `{ path: /b, ${backend('a')} }`);
    const all = translated(ingress('old', own) + ingress('new', own));
    const two = withinLimit(all, 3, settingsOf({ maxRoutes: 3 }));
    expect(two.drafts.map(({ owner }) => owner.name)).toEqual(['old', 'old']);
    expect(texts(two)).toEqual(['Ingress default/new: there are more than 3 routes (kubernetes.maxRoutes)']);
    expect(withinLimit(all, 4, settingsOf()).drafts).toHaveLength(4);
    expect(withinLimit(all, -1, settingsOf()).drafts).toEqual([]);
  });
});

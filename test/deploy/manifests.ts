import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

/** Plain manifests, rendered from the chart. */
export const PLAIN = 'deploy/kubernetes';

const probe = z.strictObject({
  httpGet: z.strictObject({ path: z.string(), port: z.string(), scheme: z.enum(['HTTP', 'HTTPS']) }),
  periodSeconds: z.int(),
  timeoutSeconds: z.int(),
  failureThreshold: z.int(),
});

const secretOrConfig = z.looseObject({
  name: z.string(),
  secret: z.strictObject({ secretName: z.string(), defaultMode: z.int() }).optional(),
  configMap: z.strictObject({ name: z.string(), defaultMode: z.int() }).optional(),
});

const container = z.looseObject({
  image: z.string(),
  securityContext: z.looseObject({}),
  env: z.array(z.strictObject({ name: z.string(), value: z.string() })),
  ports: z.array(z.strictObject({ name: z.string(), containerPort: z.int() })),
  startupProbe: probe,
  readinessProbe: probe,
  livenessProbe: probe,
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })),
});

const deployment = z.looseObject({
  kind: z.literal('Deployment'),
  spec: z.looseObject({
    selector: z.strictObject({ matchLabels: z.record(z.string(), z.string()) }),
    template: z.looseObject({
      metadata: z.looseObject({ labels: z.record(z.string(), z.string()) }),
      spec: z.looseObject({
        terminationGracePeriodSeconds: z.int(),
        automountServiceAccountToken: z.boolean(),
        securityContext: z.looseObject({}),
        containers: z.tuple([container]),
        volumes: z.array(secretOrConfig),
      }),
    }),
  }),
});

/** What the Deployment of the gateway says. */
export type Deployment = z.output<typeof deployment>;

/** Any of the objects. */
export type Manifest = Readonly<Record<string, unknown>> & {
  readonly kind: string;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly metadata: { readonly name: string; readonly namespace?: string };
};

/** The objects of a text in YAML. @throws where it is none. */
export function manifestsIn(text: string): readonly Manifest[] {
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    const value = document.toJS() as Manifest | null;
    return value === null ? [] : [value];
  });
}

/** Those of a file of {@link PLAIN}. */
export const plainManifests = (name: string): readonly Manifest[] =>
  manifestsIn(readFileSync(join(PLAIN, name), 'utf8'));

/** The files of {@link PLAIN}. */
export const PLAIN_FILES = readdirSync(PLAIN).filter((name) => name.endsWith('.yaml'));

/** The only Deployment among them. */
export function deploymentOf(manifests: readonly Manifest[]): Deployment {
  const [only, ...more] = manifests.filter(({ kind }) => kind === 'Deployment');
  if (more.length > 0) throw new Error('more than one Deployment');
  return deployment.parse(only);
}

/** The objects of a kind. */
export function ofKind(manifests: readonly Manifest[], kind: string): readonly Manifest[] {
  return manifests.filter((one) => one.kind === kind);
}

/** What the ConfigMap among them has under a name. */
export function configText(manifests: readonly Manifest[], name = 'gateway.yaml'): string | undefined {
  const [configMap] = ofKind(manifests, 'ConfigMap');
  return z.looseObject({ data: z.record(z.string(), z.string()) }).parse(configMap).data[name];
}

import { jsonOf, listOf, textOf, type Condition, type Json, type Resource } from '../resource.ts';
import { fails, holds } from './conditions.ts';
import { areAuthorities } from './certificates.ts';
import { ObjectFault } from './faults.ts';
import { mayRefer, type Referrer } from './grants.ts';
import type { Scene } from './gateways.ts';

/** A BackendTLSPolicy that somebody has asked about, and what became of it. */
export interface TlsVerdict {
  readonly policy: Resource;
  readonly condition: Condition;
  readonly resolved: Condition;
}

/** The upstreams that references to Services become. */
export class Backends {
  readonly #scene: Scene;
  readonly #upstreams = new Map<string, Json>();
  readonly #verdicts = new Map<Resource, TlsVerdict>();

  constructor(scene: Scene) {
    this.#scene = scene;
    for (const policy of scene.view.all('BackendTLSPolicy')) this.#verdicts.set(policy, this.#judge(policy));
  }

  /** By name, as the file would have them. */
  get upstreams(): ReadonlyMap<string, Json> {
    return this.#upstreams;
  }

  get tlsPolicies(): Iterable<TlsVerdict> {
    return this.#verdicts.values();
  }

  /** The name of the upstream that a reference becomes. @throws {ObjectFault} when it leads to none. */
  upstreamOf(ref: Json, from: Referrer, field: string, protocol: 'http' | 'grpc' = 'http'): string {
    const [group, kind] = [textOf(ref['group']), textOf(ref['kind']) || 'Service'];
    if (group !== '' || kind !== 'Service')
      throw new ObjectFault('InvalidKind', `${field}: expected a Service, not ${kind}`);
    const namespace = textOf(ref['namespace']) || from.namespace;
    const name = textOf(ref['name']);
    if (!mayRefer(this.#scene.view, from, { group: '', kind: 'Service', namespace, name }))
      throw new ObjectFault(
        'RefNotPermitted',
        `${field}: no ReferenceGrant in ${namespace} lets it be named from here`,
      );
    const service = this.#scene.view.get('Service', namespace, name);
    if (service === undefined)
      throw new ObjectFault('BackendNotFound', `${field}: there is no Service ${namespace}/${name}`);
    return this.#named(service, portOf(service, ref['port'], field), field, protocol);
  }

  #named(service: Resource, port: Json, field: string, protocol: 'http' | 'grpc'): string {
    const tls = this.#tlsOf(service, textOf(port['name']), field);
    const { namespace, name } = service;
    const name_ = `k8s_${namespace}_${name}_${String(port['port'])}${protocol === 'grpc' ? '_grpc' : ''}`;
    const { kubeconfig, context } = this.#scene.settings.access;
    const kubernetes = {
      service: name,
      namespace,
      ...(textOf(port['name']) !== '' && { port: port['name'] }),
      ...(kubeconfig !== undefined && { kubeconfig }),
      ...(context !== undefined && { context }),
    };
    this.#upstreams.set(name_, {
      ...(protocol === 'grpc' && { protocol }),
      // What clients name is what services expect that stand behind a Gateway.
      ...(protocol === 'http' && { host: 'keep' }),
      discovery: { kubernetes },
      ...(tls !== undefined && { tls }),
    });
    return name_;
  }

  /** Fails closed: what is to be spoken to over TLS is not spoken to without it. */
  #tlsOf(service: Resource, portName: string, field: string): Json | undefined {
    const of = [...this.#verdicts.values()].filter(({ policy }) => policy.namespace === service.namespace);
    const whole = of.filter(({ policy }) => targets(policy, service.name, undefined));
    const narrow = of.filter(({ policy }) => portName !== '' && targets(policy, service.name, portName));
    const [first] = [...narrow, ...whole];
    if (first === undefined) return undefined;
    if (first.condition.status !== 'True')
      throw new ObjectFault(
        'BackendNotFound',
        `${field}: the BackendTLSPolicy ${first.policy.name} cannot be used: ${first.condition.message}`,
      );
    return this.#optionsOf(first.policy);
  }

  #optionsOf({ spec, namespace }: Resource): Json {
    const validation = jsonOf(spec['validation']);
    const serverName = textOf(validation['hostname']);
    const refs = listOf(validation['caCertificateRefs']);
    if (refs.length === 0) return { serverName };
    const texts = refs.map((ref) => this.#authorities(ref, namespace));
    return { serverName, ca: this.#scene.settings.fileOf(texts.join('\n'), 'crt') };
  }

  #authorities(ref: Json, namespace: string): string {
    const [kind, name] = [textOf(ref['kind']), textOf(ref['name'])];
    if (textOf(ref['group']) !== '' || kind !== 'ConfigMap')
      throw new ObjectFault('InvalidKind', `validation.caCertificateRefs: expected a ConfigMap, not ${kind}`);
    const map = this.#scene.view.get('ConfigMap', namespace, name);
    const text = textOf(jsonOf(map?.whole['data'])['ca.crt']);
    if (map === undefined)
      throw new ObjectFault(
        'InvalidCACertificateRef',
        `validation.caCertificateRefs: there is no ConfigMap ${name} with the label gatehouse.dev/ca=true`,
      );
    if (!areAuthorities(text))
      throw new ObjectFault(
        'InvalidCACertificateRef',
        `validation.caCertificateRefs: ca.crt of the ConfigMap ${name} is no certificate (PEM)`,
      );
    return text;
  }

  #judge(policy: Resource): TlsVerdict {
    const validation = jsonOf(policy.spec['validation']);
    const hasNames = listOf(validation['subjectAltNames']).length > 0;
    const options = Object.keys(jsonOf(policy.spec['options'])).length > 0;
    const invalid = (reason: string, message: string, resolved: Condition): TlsVerdict => ({
      policy,
      condition: fails('Accepted', reason, message),
      resolved,
    });
    if (hasNames)
      return invalid('Invalid', 'validation.subjectAltNames: is not supported', holds('ResolvedRefs'));
    if (options) return invalid('Invalid', 'options: is not supported', holds('ResolvedRefs'));
    try {
      this.#optionsOf(policy);
      return { policy, condition: holds('Accepted'), resolved: holds('ResolvedRefs') };
    } catch (error) {
      if (!(error instanceof ObjectFault)) throw error;
      return invalid(
        'NoValidCACertificate',
        error.message,
        fails('ResolvedRefs', error.reason, error.message),
      );
    }
  }
}

function targets({ spec }: Resource, name: string, portName: string | undefined): boolean {
  return listOf(spec['targetRefs']).some(
    (ref) =>
      textOf(ref['kind']) === 'Service' &&
      textOf(ref['name']) === name &&
      (textOf(ref['sectionName']) || undefined) === portName,
  );
}

function portOf({ spec, namespace, name }: Resource, wanted: unknown, field: string): Json {
  const title = `Service ${namespace}/${name}`;
  if (spec['type'] === 'ExternalName')
    throw new ObjectFault(
      'BackendNotFound',
      `${field}: the ${title} is of type ExternalName, which is not supported`,
    );
  const ports = listOf(spec['ports']);
  const found = ports.find(({ port, name: own }) =>
    typeof wanted === 'string' ? own === wanted : port === wanted,
  );
  if (found === undefined)
    throw new ObjectFault('BackendNotFound', `${field}.port: the ${title} has no port ${String(wanted)}`);
  // Of several ports each has a name; of an only one that has none there is nothing to choose.
  return found;
}

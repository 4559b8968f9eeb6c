import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { certificate, type Certificate } from '../../../../test/support/certificates.ts';
import { until } from '../../grpc/call.fixture.ts';
import { discoverySchema } from '../discovery.schema.ts';
import type { Known } from '../discovery-source.ts';
import { CredentialPlugin } from './credential-plugin.ts';
import { FakeCluster, slice } from './kubernetes.fixture.ts';
import { KubernetesSource } from './kubernetes-source.ts';

const authority = (name: string): Certificate => certificate({ name, isAuthority: true });
const ours = authority('ours');
const other = authority('other');
const served = (by: Certificate, hosts = ['127.0.0.1']) => {
  const { cert, key } = certificate({ name: 'cluster', hosts, by });
  return { cert, key };
};

let cluster: FakeCluster;
let folder: string;
let made: KubernetesSource[];

beforeEach(async () => {
  made = [];
  cluster = await new FakeCluster({
    ...served(ours),
    requestCert: true,
    ca: ours.cert,
    rejectUnauthorized: false,
  }).start();
  cluster.slices = [slice('a', ['1.1.1.1'])];
  folder = mkdtempSync(join(tmpdir(), 'access-'));
});
afterEach(() => {
  for (const source of made) source.close();
  cluster.stop();
  rmSync(folder, { recursive: true });
});

function write(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}
function sourceOf(options: object = {}): KubernetesSource {
  const { kubernetes } = discoverySchema.parse({ kubernetes: { service: 'web', ...options } });
  const source = new KubernetesSource({
    ...(kubernetes as NonNullable<typeof kubernetes>),
    scheme: 'http',
    root: folder,
  });
  made.push(source);
  return source;
}
const ask = (source: KubernetesSource, signal = new AbortController().signal): Promise<Known> =>
  source.next({ signal, withinMs: 0 });
const heard = (source: KubernetesSource): Promise<string> =>
  ask(source).then(
    ({ targets }) => targets.map(({ url }) => url).join(),
    (error: Error) => error.message,
  );
const lastToken = () => cluster.headers.at(-1)?.authorization;
const FOUND = 'http://1.1.1.1:8080';

describe('the service account of a pod', () => {
  const ACCOUNT = 'var/run/secrets/kubernetes.io/serviceaccount';
  const before = { ...process.env };

  beforeEach(() => {
    process.env['KUBERNETES_SERVICE_HOST'] = '127.0.0.1';
    process.env['KUBERNETES_SERVICE_PORT'] = String(cluster.port);
    write(`${ACCOUNT}/ca.crt`, ours.cert);
    write(`${ACCOUNT}/token`, 'one\n');
    write(`${ACCOUNT}/namespace`, 'shop\n');
  });
  afterAll(() => void (process.env = before));

  it('asks its own cluster over TLS, in its namespace', async () => {
    expect(await heard(sourceOf())).toBe(FOUND);
    expect([lastToken(), cluster.asked[0]?.split('?')[0]]).toEqual([
      'Bearer one',
      '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices',
    ]);
  });

  it.each([
    ['that another authority certifies', served(other), /UNABLE_TO_VERIFY|SELF_SIGNED|LEAF_SIGNATURE/],
    ['that is certified for another name', served(ours, ['cluster.test']), /ALTNAME/],
  ])('tells nothing to a cluster %s', async (_what, tls, reason) => {
    cluster.certify(tls);
    expect(await heard(sourceOf())).toMatch(reason);
    expect(cluster.asked).toEqual([]);
  });

  it('goes on with another authority as soon as there is one', async () => {
    const source = sourceOf();
    expect(await heard(source)).toBe(FOUND);
    cluster.certify(served(other));
    expect(await heard(source)).toMatch(/UNABLE_TO_VERIFY|SELF_SIGNED|LEAF_SIGNATURE|cut|reached/);
    write(`${ACCOUNT}/ca.crt`, ours.cert + other.cert);
    expect(await heard(source)).toBe(FOUND);
  });

  it('goes on with another token as soon as the first one is refused', async () => {
    cluster.token = 'one';
    const source = sourceOf();
    expect(await heard(source)).toBe(FOUND);
    cluster.token = 'two';
    write(`${ACCOUNT}/token`, 'two');
    expect(await heard(source)).toBe(FOUND);
    expect(lastToken()).toBe('Bearer two');
  });

  it('lists anew once its changes weigh more than 256 MiB, of which nobody has counted what is left', async () => {
    const source = sourceOf();
    await ask(source);
    const lists = () => cluster.asked.filter((path) => !path.includes('watch=')).length;
    const next = () => source.next({ signal: new AbortController().signal, withinMs: Infinity });
    const swollen = `{"type":"MODIFIED","object":{"metadata":{"name":"a","resourceVersion":"9"},"x":[${'{},'.repeat(1_200_000)}{}]}}\n`;
    const listed = [];
    for (let i = 0; i < 2; i += 1) {
      const changed = next();
      await until(() => cluster.watches.size === 1);
      cluster.send(swollen);
      await changed;
      listed.push(lists());
    }
    // It would wait for a change if it watched on.
    await next();
    expect([...listed, lists()]).toEqual([1, 1, 2]);
  });

  it('needs its files', async () => {
    rmSync(join(folder, ACCOUNT, 'token'));
    expect(await heard(sourceOf())).toBe('there is no access to the cluster: ENOENT');
  });
});

describe('a kubeconfig', () => {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');

  function kubeconfig(user: object): string {
    const there = { server: cluster.url, 'certificate-authority-data': base64(ours.cert) };
    return write(
      'kube/config',
      JSON.stringify({
        clusters: [{ name: 'c', cluster: there }],
        users: [{ name: 'u', user }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'shop' } }],
        'current-context': 'x',
      }),
    );
  }
  /** A program beside the kubeconfig. */
  function program(name: string, script: string): string {
    chmodSync(write(`kube/${name}`, `#!/bin/sh\n${script}\n`), 0o755);
    return `./${name}`;
  }
  const says = (status: object): string => `echo '${JSON.stringify({ kind: 'ExecCredential', status })}'`;
  const withPlugin = (script: string, more: object = {}): KubernetesSource =>
    sourceOf({ kubeconfig: kubeconfig({ exec: { command: program('plugin', script), ...more } }) });
  const runs = (): number => readFileSync(join(folder, 'runs'), 'utf8').length;

  it('says who certifies the cluster, and with which certificate it is asked', async () => {
    const { cert, key } = certificate({ name: 'gateway', by: ours });
    const user = { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) };
    expect(await heard(sourceOf({ kubeconfig: kubeconfig(user) }))).toBe(FOUND);
    expect(cluster.clients).toEqual(['gateway']);
  });

  it('brings a token by a program, which is run once, and anew when the token is refused', async () => {
    const count = `printf x >> ${folder}/runs; test "$MORE" = yes && test -n "$KUBERNETES_EXEC_INFO" && test "$1" = get || exit 4`;
    const token = `printf '{"kind":"ExecCredential","status":{"token":"t%s"}}' $(wc -c < ${folder}/runs)`;
    const source = withPlugin(`${count}\n${token}`, { args: ['get'], env: [{ name: 'MORE', value: 'yes' }] });
    cluster.token = 't1';
    expect([await heard(source), await heard(source), runs()]).toEqual([FOUND, FOUND, 1]);
    cluster.token = 't2';
    expect([await heard(source), lastToken(), runs()]).toEqual([FOUND, 'Bearer t2', 2]);
  });

  it('brings a certificate by a program', async () => {
    const { cert, key } = certificate({ name: 'plugged', by: ours });
    const said = write(
      'kube/said',
      JSON.stringify({ kind: 'ExecCredential', status: { clientCertificateData: cert, clientKeyData: key } }),
    );
    expect(await heard(withPlugin(`cat ${said}`))).toBe(FOUND);
    expect(cluster.clients).toEqual(['plugged']);
  });

  it.each([
    ['fails', 'echo secret >&2; exit 3', /its plugin plugin ended with 3$/],
    ['says no credential', says({}), /brought no credentials$/],
    ['says no JSON', 'echo secret', /brought no credentials$/],
    ['says more than it should', 'yes | head -c 1100000', /said more than 1MiB$/],
  ])('knows nothing when its program %s', async (_what, script, reason) => {
    expect(await heard(withPlugin(script))).toMatch(reason);
    expect(cluster.asked).toEqual([]);
  });

  it('knows nothing when there is no such program', async () => {
    const exec = { command: './nowhere' };
    expect(await heard(sourceOf({ kubeconfig: kubeconfig({ exec }) }))).toMatch(
      /plugin nowhere ended with ENOENT$/,
    );
  });

  describe('whose program hangs', () => {
    const hanging = `echo $$ > "$PIDFILE"; exec sleep 60`;
    const isAlive = (pid: number): boolean => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    let pidFile: string;
    const exec = () => ({ command: program('plugin', hanging), env: [{ name: 'PIDFILE', value: pidFile }] });
    const pid = async (): Promise<number> => {
      await until(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8').endsWith('\n'));
      return Number(readFileSync(pidFile, 'utf8'));
    };
    beforeEach(() => void (pidFile = join(folder, 'pid')));

    it('ends it with the question', async () => {
      const giving = new AbortController();
      const asked = ask(sourceOf({ kubeconfig: kubeconfig({ exec: exec() }) }), giving.signal);
      asked.catch(() => undefined);
      const running = await pid();
      giving.abort();
      await expect(asked).rejects.toThrow('was given up');
      await until(() => !isAlive(running));
    });

    it('ends it after its time', async () => {
      const config = kubeconfig({});
      const asked = new CredentialPlugin(100).credential(exec(), config, new AbortController().signal);
      await expect(asked).rejects.toThrow('its plugin plugin did not end in time');
      const running = await pid();
      await until(() => !isAlive(running));
    });
  });

  it('runs its program anew half a minute before the credential ends', async () => {
    const plugin = new CredentialPlugin();
    const { signal } = new AbortController();
    const runsFor = async (leftMs: number): Promise<number> => {
      rmSync(join(folder, 'runs'), { force: true });
      const status = { token: 't', expirationTimestamp: new Date(Date.now() + leftMs).toISOString() };
      const exec = {
        command: program('plugin', `printf x >> ${folder}/runs; ${says(status)}`),
        args: [String(leftMs)],
      };
      for (let i = 0; i < 2; i += 1) await plugin.credential(exec, join(folder, 'kube/config'), signal);
      return runs();
    };
    expect([await runsFor(60_000), await runsFor(29_000)]).toEqual([1, 2]);
  });
});

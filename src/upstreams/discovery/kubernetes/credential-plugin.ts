import { execFile, type ExecException } from 'node:child_process';
import { basename, dirname, resolve } from 'node:path';
import { z } from 'zod';

/** A plugin has this long; then it is killed. */
const PLUGIN_MS = 20_000;
const MAX_OUTPUT_BYTES = 1024 * 1024;
/** Credentials are replaced so long before they end. */
const EARLY_MS = 30_000;

/** `users[].user.exec` of a kubeconfig, as far as it is kept to. */
const execSchema = z.object({
  apiVersion: z.string().default('client.authentication.k8s.io/v1'),
  command: z.string().min(1),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
});

const credentialSchema = z.object({
  kind: z.literal('ExecCredential'),
  status: z.object({
    token: z.string().min(1).optional(),
    clientCertificateData: z.string().optional(),
    clientKeyData: z.string().optional(),
    expirationTimestamp: z.string().optional(),
  }),
});

/** What a plugin brings (client.authentication.k8s.io, ExecCredential). */
export type PluginCredential = z.output<typeof credentialSchema>['status'];

/**
 * The program that a kubeconfig names for its credentials. It is run anew when they end, or when the cluster does not take
 * them. The official client would keep them by the name of the user, whichever kubeconfig that is of, and leave a program
 * that hangs running.
 */
export class CredentialPlugin {
  readonly #timeoutMs: number;
  #kept: { readonly of: string; readonly credential: PluginCredential; readonly until: number } | undefined =
    undefined;

  /** @param timeoutMs how long it may run, in ms. */
  constructor(timeoutMs = PLUGIN_MS) {
    this.#timeoutMs = timeoutMs;
  }

  /**
   * What the plugin says, or said while it holds.
   *
   * @param exec as the kubeconfig has it.
   * @param kubeconfig its path, from whose folder relative commands start.
   * @throws {Error} when it brings nothing.
   */
  async credential(
    exec: unknown,
    kubeconfig: string | undefined,
    signal: AbortSignal,
  ): Promise<PluginCredential> {
    const of = JSON.stringify(exec);
    if (this.#kept?.of === of && Date.now() < this.#kept.until) return this.#kept.credential;
    const read = execSchema.safeParse(exec);
    if (!read.success) throw new Error('its `exec` names no command');
    const credential = await run(read.data, kubeconfig, { signal, timeout: this.#timeoutMs });
    const { expirationTimestamp } = credential;
    const until = expirationTimestamp === undefined ? Infinity : Date.parse(expirationTimestamp) - EARLY_MS;
    this.#kept = { of, credential, until };
    return credential;
  }

  /** Has the plugin run anew for the next question. */
  forget(): void {
    this.#kept = undefined;
  }
}

function run(
  { apiVersion, command, args, env }: z.output<typeof execSchema>,
  kubeconfig: string | undefined,
  limits: { readonly signal: AbortSignal; readonly timeout: number },
): Promise<PluginCredential> {
  const isPath = command.includes('/');
  const file = isPath && kubeconfig !== undefined ? resolve(dirname(kubeconfig), command) : command;
  const told = { apiVersion, kind: 'ExecCredential', spec: { interactive: false } };
  const variables = Object.fromEntries((env ?? []).map(({ name, value }) => [name, value]));
  const options = {
    env: { ...process.env, ...variables, KUBERNETES_EXEC_INFO: JSON.stringify(told) },
    ...limits,
    killSignal: 'SIGKILL',
    maxBuffer: MAX_OUTPUT_BYTES,
  } as const;
  return new Promise((done, reject) => {
    const child = execFile(file, args ?? [], options, (error, stdout) => {
      // What it says of its faults may hold secrets, and so may its arguments.
      if (error !== null) return reject(new Error(`its plugin ${basename(command)} ${faultOf(error)}`));
      const credential = credentialOf(stdout);
      if (credential !== undefined) done(credential);
      else reject(new Error(`its plugin ${basename(command)} brought no credentials`));
    });
    // Nobody is there to be asked.
    child.stdin?.end();
  });
}

function faultOf(error: ExecException): string {
  if (error.name === 'AbortError') return 'was given up';
  if (String(error.code).includes('MAXBUFFER')) return 'said more than 1MiB';
  if (error.killed === true) return 'did not end in time';
  return `ended with ${String(error.code ?? error.signal)}`;
}

function credentialOf(text: string): PluginCredential | undefined {
  try {
    const { status } = credentialSchema.parse(JSON.parse(text));
    const hasCertificate = status.clientCertificateData !== undefined && status.clientKeyData !== undefined;
    return status.token !== undefined || hasCertificate ? status : undefined;
  } catch {
    return undefined;
  }
}

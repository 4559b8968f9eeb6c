import type { X509Certificate } from 'node:crypto';
import { createServer } from 'node:net';
import { PemFiles } from '../config/pem-files.ts';
import { HostNames, namesOf } from '../listeners/certificate-names.ts';
import type { ListenerOptions } from '../listeners/listeners.schema.ts';
import { expiryOf } from './certificate-facts.ts';
import type { Check, Outcome } from './check.ts';
import { folderOf, placeOf, type Surroundings } from './surroundings.ts';

/** Whether the listeners' certificates hold, and their ports are free. */
export function listenerChecks(around: Surroundings): readonly Check[] {
  const { listeners = [] } = around.source.value;
  return [
    ...listeners.flatMap((listener, index) => certificateChecks(around, listener, index)),
    ...hostChecks(around),
    ...portChecks(around),
  ];
}

function certificatesOf(around: Surroundings, listener: ListenerOptions, index: number) {
  return (listener.tls?.certificates ?? []).map((names, at) => {
    const path = ['listeners', index, 'tls', 'certificates', at];
    const files = new PemFiles(path, folderOf(around), Date.now());
    const { cert } = files.pair(names);
    return { names, path, faults: files.faults, all: cert?.all ?? [] };
  });
}

function certificateChecks(around: Surroundings, listener: ListenerOptions, index: number): readonly Check[] {
  return certificatesOf(around, listener, index).map(({ names, path, faults, all }) => {
    const mend = placeOf(around, path);
    const run = async (): Promise<Outcome> => {
      const [leaf] = all;
      const fault = faults[0];
      if (fault !== undefined || leaf === undefined)
        return { level: 'fail', what: fault?.message ?? 'there is no certificate', mend };
      return certificateFinding(leaf, all, mend);
    };
    return { name: 'certificate', subject: names.cert, mend, run };
  });
}

function certificateFinding(leaf: X509Certificate, all: readonly X509Certificate[], mend: string): Outcome {
  const names = namesOf(leaf);
  const { level, what } = expiryOf(leaf);
  const named = `for ${names.slice(0, 3).join(', ') || 'no name'}`;
  if (level === 'fail') return { level, what: `${named}: ${what}`, mend: `renew it: ${mend}` };
  const broken = all.findIndex((one, at) => at > 0 && all[at - 1]?.checkIssued(one) === false);
  if (broken > 0) {
    const why = `certificate ${broken + 1} of the file is not who signed the one before it: clients cannot follow the chain`;
    return { level: 'fail', what: `${named}: ${why}`, mend };
  }
  const end = all.at(-1);
  const isSelfSigned = end !== undefined && end.checkIssued(end);
  if (names.length === 0) return { level: 'warn', what: `it names no host; it ${what}`, mend };
  const leadsTo = `; it leads to ${isSelfSigned ? 'itself' : commonName(end?.issuer)}`;
  return {
    level,
    what: `${named}: ${what}${leadsTo}`,
    mend: level === 'ok' ? undefined : `renew it: ${mend}`,
  };
}

function commonName(subject = ''): string {
  return subject.split('\n').at(-1) ?? '';
}

// Hosts that routes are for, and that no certificate names.
function hostChecks(around: Surroundings): readonly Check[] {
  const { listeners = [], routes } = around.source.value;
  const names = new HostNames<true>();
  const certificates = listeners.flatMap((listener, index) => certificatesOf(around, listener, index));
  if (certificates.length === 0) return [];
  for (const { all } of certificates)
    for (const name of all[0] === undefined ? [] : namesOf(all[0])) names.add(name, true);
  const hosts = new Set(
    routes.flatMap(({ match }) => match?.hosts ?? []).filter((host) => !host.includes('*')),
  );
  const missing = [...hosts].filter((host) => names.find(host) === undefined);
  const what = `no certificate is for ${missing.slice(0, 5).join(', ')}`;
  const mend = placeOf(around, ['listeners']);
  const run = async (): Promise<Outcome> =>
    missing.length === 0
      ? { level: 'ok', what: 'the hosts of all routes have a certificate' }
      : { level: 'fail', what, mend };
  return hosts.size === 0 ? [] : [{ name: 'certificate', subject: 'hosts of routes', run }];
}

function portChecks(around: Surroundings): readonly Check[] {
  const { environment, source } = around;
  const { host, port, adminHost, adminPort } = environment;
  const { listeners } = source.value;
  const ofClients = listeners?.map((one, index) => ({
    host: one.host ?? host,
    port: one.port,
    mend: placeOf(around, ['listeners', index, 'port']),
  })) ?? [{ host, port, mend: 'PORT' }];
  return [...ofClients, { host: adminHost, port: adminPort, mend: 'ADMIN_PORT' }].map((one) => ({
    name: 'port',
    subject: `${one.host}:${one.port}`,
    mend: one.mend,
    run: () => portFinding(one),
  }));
}

interface Place {
  readonly host: string;
  readonly port: number;
  readonly mend: string;
}

const WHY: Readonly<Record<string, string>> = {
  EACCES: 'no permission to listen there',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'there is no such host',
};

function portFinding({ host, port, mend }: Place): Promise<Outcome> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', ({ code = '' }: NodeJS.ErrnoException) => {
      // It may well be the gateway that this is about, which has taken it.
      if (code === 'EADDRINUSE')
        resolve({
          level: 'warn',
          what: 'taken: by this gateway if it runs, else by somebody else',
          mend: `ss -ltnp 'sport = :${port}', or ${mend}`,
        });
      else
        resolve({
          level: 'fail',
          what: WHY[code] ?? code,
          mend: code === 'EACCES' ? `setcap cap_net_bind_service, or ${mend}` : mend,
        });
    });
    server.listen({ host, port }, () =>
      server.close(() => resolve({ level: 'ok', what: port === 0 ? 'any free port' : 'free' })),
    );
  });
}
